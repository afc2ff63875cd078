//! Bounds and intervals of a service, with defaults that a careful operator would choose.

pub(crate) mod limits;

use std::time::Duration;

use events_core::{Exhausted, Fault, Park, Retry, Start};

use crate::dead_letter::Dialects;

/// Bounds and intervals. All memory that records take is bounded by them (D7).
///
/// No time is longer than 100 years; `Duration::MAX` is a fault at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Records that a lane holds at once: dispatched, held back, or waiting for an acknowledgement. Default 4,000.
    pub lane_records: usize,
    /// Bytes that those records take: keys, values, headers, and what the client keeps of each. Default 16 MiB.
    pub lane_bytes: usize,
    /// Bytes that emissions of a lane take until they are acknowledged, counted in the same way. Default 3 MiB: what is on
    /// its way at once is soon too much for the processor's cache.
    pub lane_emission_bytes: usize,
    /// Bytes for the records of all lanes that this process has of the service, and for what the client fetches ahead for
    /// them, which gets a quarter. If all lanes at their bounds would take more, each has an equal share; a share always
    /// lets one batch through. Parked records have `process_parked_bytes`. Default 1 GiB.
    pub process_bytes: usize,
    /// Records of failed keys, and behind them, that a lane holds back. At the bound it stops polling. Default 1,000.
    pub lane_held: usize,
    /// Records received beyond the watermark, done ones included. Default 100,000.
    pub lane_ahead: usize,
    /// Bytes of key and value, unpacked, that a record may have. One with more is dead-lettered before any handler sees it, by
    /// a letter that names its origin instead of carrying it. Default 64 MiB.
    pub record_bytes: usize,
    /// Headers that a record may have. One with more is dead-lettered with few of them, before any handler sees it.
    /// Default 1,000, at least 32.
    pub record_headers: usize,
    /// Bytes that the names and values of a record's headers may have; beyond that it is dead-lettered too. Default
    /// 1 MiB, at least 4 KiB.
    pub record_header_bytes: usize,
    /// Records moved from the client's queue at once. Default 512.
    pub batch: usize,
    /// Slots of a handler in a lane: how many keys of a partition it works on at once. Default 64.
    pub concurrency: u16,
    /// Attempts and waits. Default: five attempts within about one second.
    pub retry: Retry,
    /// How keys wait that failed every attempt; none for dead letters at once. Default: one minute to one hour between
    /// attempts, for one day.
    pub park: Option<Park>,
    /// What becomes of records that failed all that. Default: the dead letters.
    pub exhausted: Exhausted,
    /// Records of one key that may be parked. Later ones of that key are dead-lettered, and other keys go on; of a handler
    /// with `exhausted = "block"` nothing is given up, so the lane stops polling. Default 10,000.
    pub parked_per_key: usize,
    /// Parked records of a lane, kept in memory. At the bound the lane stops polling, and `dead-letters redrive` asks for no
    /// more. Default 100,000.
    pub parked_records: usize,
    /// Bytes of those records, with what the lane keeps beside each. Default 64 MiB.
    pub parked_bytes: usize,
    /// Bytes of the parked records of all lanes that this process has of the service. At the bound those lanes stop polling that
    /// have an equal part of it, or more. Default 256 MiB.
    ///
    /// Redrives are taken up to twice this and twice `parked_records` and `parked_bytes`, and refused beyond: their dead letters
    /// stay open.
    pub process_parked_bytes: usize,
    /// Distinct keys that fail in a row, no success between them, until their handler holds: then it is tried with one
    /// record at a time, and failures do not count against the records. A lane counts its own, and those of all the lanes
    /// that this process has of the handler. Default 10, at most 1,000; 0: only an [unavailable](events_core::Unavailable)
    /// error makes it hold.
    pub breaker_keys: usize,
    /// The shortest and the longest wait between two such tries. Default 1 s and 30 s.
    pub hold_probe: (Duration, Duration),
    /// How long a handler may hold because keys fail. After that it is unhealthy and failures count against the records
    /// again, so that keys that fail by themselves cannot stall a lane for ever. Default 15 min. A handler that says that
    /// what it depends on is unavailable holds without a limit.
    pub hold_max: Duration,
    /// Whether texts of errors stand in headers of dead letters, logs and the status. If not, only their
    /// [code](events_core::error_code) does: texts may hold what records hold. Default true.
    ///
    /// The text of a panic reaches the standard error stream all the same: the hook that prints it belongs to the process,
    /// not to a library. Where it may hold secrets, set one of your own with [`std::panic::set_hook`], or panic without
    /// them.
    pub error_texts: bool,
    /// Whose headers dead letters have beside their own. Default: nobody's.
    pub dead_letter_headers: Dialects,
    /// The longest time of one attempt. Default 30 s.
    pub timeout: Duration,
    /// Ids remembered by a lane to tell duplicates apart. Default 16,384; 0 turns dedupe off.
    pub dedupe_window: usize,
    /// Most handlers between a flow's first event and an emission (D10). Default 32.
    pub hop_limit: u32,
    /// Where a group starts that has committed nothing (D14). Default earliest.
    pub start: Start,
    /// How often positions are committed. Default 1 s.
    pub commit_interval: Duration,
    /// Most records that a kill of the process repeats, at any rate: those that all lanes of a member have done, and that no
    /// acknowledged commit covers. At a quarter of it a commit is due before its time; at the whole no attempt begins until
    /// the broker has answered. A record counts once for each handler that takes it. Attempts under way and records whose
    /// emissions are not acknowledged count too. So that a partition that stands still does not stop the others, attempts
    /// under way count for half of it at most, and emissions no more once the oldest of their lane has waited for 5 s: what
    /// is beyond that may be repeated too. Default 10,000.
    pub commit_records: u64,
    /// How long a lane that leaves may finish what runs. Default 10 s. A member that polls a broker does not do so meanwhile,
    /// so it must be shorter than what the broker's client allows between two polls.
    pub drain: Duration,
    /// How long a lane may have work and not advance before it is unhealthy (D12). Default 60 s.
    pub stall: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lane_records: 4_000,
            lane_bytes: 16 << 20,
            lane_emission_bytes: 3 << 20,
            process_bytes: 1 << 30,
            lane_held: 1_000,
            lane_ahead: 100_000,
            record_bytes: 64 << 20,
            record_headers: 1_000,
            record_header_bytes: 1 << 20,
            batch: 512,
            concurrency: 64,
            retry: Retry::DEFAULT,
            park: Some(Park::DEFAULT),
            exhausted: Exhausted::DeadLetter,
            parked_per_key: 10_000,
            parked_records: 100_000,
            parked_bytes: 64 << 20,
            process_parked_bytes: 256 << 20,
            breaker_keys: 10,
            hold_probe: (Duration::from_secs(1), Duration::from_secs(30)),
            hold_max: Duration::from_secs(15 * 60),
            error_texts: true,
            dead_letter_headers: Dialects::default(),
            timeout: Duration::from_secs(30),
            dedupe_window: 16_384,
            hop_limit: 32,
            start: Start::Earliest,
            commit_interval: Duration::from_secs(1),
            commit_records: 10_000,
            drain: Duration::from_secs(10),
            stall: Duration::from_secs(60),
        }
    }
}

impl Settings {
    /// The part of `process_bytes` for what the client fetches ahead.
    pub fn prefetch_bytes(&self) -> usize {
        self.process_bytes / 4
    }

    /// What the client fetches ahead of parked logs, beside `process_bytes`. They are read whenever something comes, so that little
    /// waits there but while a lane begins.
    pub fn parked_prefetch_bytes(&self) -> usize {
        self.prefetch_bytes() / 4
    }

    /// All values that make no sense, each with its remedy.
    pub fn validate(&self) -> Vec<Fault> {
        let positive: [(&str, u128); 17] = [
            ("lane_records", self.lane_records as u128),
            ("lane_bytes", self.lane_bytes as u128),
            ("lane_emission_bytes", self.lane_emission_bytes as u128),
            ("process_bytes", self.process_bytes as u128),
            ("lane_held", self.lane_held as u128),
            ("lane_ahead", self.lane_ahead as u128),
            ("batch", self.batch as u128),
            ("concurrency", u128::from(self.concurrency)),
            ("retry.attempts", u128::from(self.retry.attempts)),
            ("parked_per_key", self.parked_per_key as u128),
            ("parked_records", self.parked_records as u128),
            ("parked_bytes", self.parked_bytes as u128),
            ("process_parked_bytes", self.process_parked_bytes as u128),
            ("hold_probe", self.hold_probe.0.as_nanos()),
            ("timeout", self.timeout.as_nanos()),
            ("commit_interval", self.commit_interval.as_nanos()),
            ("commit_records", u128::from(self.commit_records)),
        ];
        let mut faults: Vec<_> = positive
            .into_iter()
            .filter(|(_, value)| *value == 0)
            .map(|(name, _)| {
                Fault::new(
                    "settings",
                    format!("`{name}` is 0"),
                    "give it a value above 0, or leave the default",
                )
            })
            .collect();
        // The envelope of an event and what a dead letter says of its record fit in this much.
        for (name, value, least) in [
            ("record_bytes", self.record_bytes, 4 << 10),
            ("record_headers", self.record_headers, 32),
            ("record_header_bytes", self.record_header_bytes, 4 << 10),
        ] {
            if value < least {
                faults.push(Fault::new(
                    "settings",
                    format!("`{name}` is {value}, less than what the framework itself writes"),
                    format!("set it to {least} at least, or leave the default"),
                ));
            }
        }
        faults.extend(limits::too_high(self));
        if self.retry.min > self.retry.max {
            faults.push(Fault::new(
                "settings",
                format!(
                    "the shortest wait {:?} is longer than the longest {:?}",
                    self.retry.min, self.retry.max
                ),
                "swap `retry.min` and `retry.max`",
            ));
        }
        if self.hold_probe.0 > self.hold_probe.1 {
            faults.push(Fault::new(
                "settings",
                "the shortest wait of `hold_probe` is longer than the longest",
                "write the shorter one first",
            ));
        }
        if self.lane_held > self.lane_records {
            faults.push(Fault::new(
                "settings",
                "`lane_held` is above `lane_records`, so its bound would never be met",
                "lower `lane_held` or raise `lane_records`",
            ));
        }
        faults
    }
}
