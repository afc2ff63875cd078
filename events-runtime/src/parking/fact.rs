//! Facts as records of a parked log.

use events_core::{Outgoing, RecordView};

/// Names of the headers by which the records of a parked log say what they are.
pub mod parked_header {
    /// What the record is: `claim`, `parked`, `failed`, `done` or `action`. The first header of each.
    pub const FACT: &str = "pk_fact";
    /// The lane that wrote it: 16 hexadecimal characters. On a `take-over` the lane whose claim is given up.
    pub const TOKEN: &str = "pk_token";
    /// Generation of the group, of a claim.
    pub const GENERATION: &str = "pk_generation";
    /// The handler: `service/handler`.
    pub const HANDLER: &str = "pk_handler";
    /// Topic that the record came from.
    pub const TOPIC: &str = "pk_topic";
    /// Partition that it came from.
    pub const PARTITION: &str = "pk_partition";
    /// Offset that it had there.
    pub const OFFSET: &str = "pk_offset";
    /// Timestamp that it had there, in milliseconds since the Unix epoch; -1 if it had none.
    pub const TIMESTAMP: &str = "pk_timestamp";
    /// Attempts made so far.
    pub const ATTEMPTS: &str = "pk_attempts";
    /// When the next attempt is due, in milliseconds since the Unix epoch.
    pub const NEXT: &str = "pk_next";
    /// When the record was parked, in milliseconds since the Unix epoch.
    pub const SINCE: &str = "pk_since";
    /// The error and its causes, outermost first, cut to 16 KiB.
    pub const ERROR: &str = "pk_error";
    /// What kind of error it is.
    pub const CODE: &str = "pk_code";
    /// The dead letter that is redriven: `topic/partition/offset`.
    pub const REDRIVE: &str = "pk_redrive";
    /// What an action asks for: `retry-now`, `skip-head`, `redrive`, `discard` or `take-over`.
    pub const ACTION: &str = "pk_action";
    /// Why somebody asks for it.
    pub const REASON: &str = "pk_reason";
    /// Who asks.
    pub const ACTOR: &str = "pk_actor";
    /// When they asked, RFC 3339.
    pub const TIME: &str = "pk_time";
    /// Offset in the parked log of the record that a fact is about.
    pub const AT: &str = "pk_at";
}

use parked_header as name;

const PREFIX: &[u8] = b"pk_";

/// Most bytes of a token; a longer one is none.
#[doc(hidden)]
pub const MOST_TOKEN: usize = 64;
/// Most bytes of the id of a dead letter; a longer one is none.
const MOST_LETTER: usize = 512;
/// Most bytes that are kept of an error, of a reason, and of who gave it: there are as many as records that wait.
const BRIEF: usize = 256;

/// What is kept of a text.
pub(crate) fn brief(text: &str) -> &str {
    &text[..text.floor_char_boundary(BRIEF)]
}

/// What the headers of a fact say; what is missing, no number, or too long to be what it should is none.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) fact: &'a str,
    pub(crate) token: Option<&'a str>,
    pub(crate) generation: Option<i64>,
    pub(crate) handler: Option<&'a str>,
    pub(crate) topic: Option<&'a str>,
    pub(crate) partition: Option<i32>,
    pub(crate) offset: Option<i64>,
    pub(crate) timestamp: Option<i64>,
    pub(crate) attempts: Option<u32>,
    pub(crate) next: Option<i64>,
    pub(crate) since: Option<i64>,
    pub(crate) error: Option<&'a str>,
    pub(crate) redrive: Option<&'a str>,
    pub(crate) action: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) actor: Option<&'a str>,
    pub(crate) at: Option<i64>,
}

impl<'a> Head<'a> {
    pub(crate) fn read(headers: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)>) -> Self {
        let mut head = Self::default();
        for (header, value) in headers {
            if !header.starts_with(PREFIX) {
                continue;
            }
            let (Ok(header), Some(Ok(text))) = (
                std::str::from_utf8(header),
                value.map(|value| std::str::from_utf8(value)),
            ) else {
                continue;
            };
            match header {
                name::FACT => head.fact = text,
                name::TOKEN => head.token = Some(text).filter(|text| text.len() <= MOST_TOKEN),
                name::GENERATION => head.generation = text.parse().ok(),
                name::HANDLER => head.handler = Some(text),
                name::TOPIC => head.topic = Some(text),
                name::PARTITION => head.partition = text.parse().ok(),
                name::OFFSET => head.offset = text.parse().ok(),
                name::TIMESTAMP => head.timestamp = text.parse().ok(),
                name::ATTEMPTS => head.attempts = text.parse().ok(),
                name::NEXT => head.next = text.parse().ok(),
                name::SINCE => head.since = text.parse().ok(),
                name::ERROR => head.error = Some(text),
                name::REDRIVE => head.redrive = Some(text).filter(|text| text.len() <= MOST_LETTER),
                name::ACTION => head.action = Some(text),
                name::REASON => head.reason = Some(text),
                name::ACTOR => head.actor = Some(text),
                name::AT => head.at = text.parse().ok(),
                _ => {}
            }
        }
        head
    }

    /// Who asks for an action, and why, for people; briefly.
    pub(crate) fn audit(&self) -> String {
        let actor = brief(self.actor.unwrap_or("somebody"));
        match self.reason.map(brief) {
            Some(reason) => format!("{actor}: {reason}"),
            None => actor.to_owned(),
        }
    }
}

/// The headers of a record, one after the other.
pub(crate) fn headers(record: &dyn RecordView) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    (0..).map_while(|index| record.header(index))
}

/// Copies key, value, timestamp and all headers that are the record's own; null ones are left out.
pub(crate) fn copy_own(record: &dyn RecordView, into: &mut Outgoing) {
    // No more than they need: a parked record is kept for long, and the error that stands beside it may be much larger.
    let (mut bytes, mut count) = (0, 0);
    for (header, value) in headers(record) {
        if let Some(value) = value.filter(|_| !header.starts_with(PREFIX)) {
            bytes += header.len() + value.len();
            count += 1;
        }
    }
    let key = record.key().map_or(0, <[u8]>::len);
    bytes += key + record.value().map_or(0, <[u8]>::len);
    into.reserve(bytes, count);
    into.timestamp = record.timestamp();
    if let Some(key) = record.key() {
        into.set_key(key);
    }
    if let Some(value) = record.value() {
        into.set_value(value);
    }
    for (header, value) in headers(record) {
        if !header.starts_with(PREFIX) && value.is_some() {
            into.add_raw_header(header, value);
        }
    }
}

/// Where facts are written, and by whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) token: &'a str,
}

/// How a record stands after an attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'a> {
    pub(crate) handler: &'a str,
    pub(crate) attempts: u32,
    /// When it is tried next.
    pub(crate) next: i64,
    /// When it was parked.
    pub(crate) since: i64,
    pub(crate) error: &'a str,
    pub(crate) code: &'a str,
}

impl Writer<'_> {
    fn fact(&self, kind: &str) -> Outgoing {
        let mut fact = Outgoing::new(self.topic.to_owned());
        fact.partition = Some(self.partition);
        fact.add_header(name::FACT, kind);
        fact.add_header(name::TOKEN, self.token);
        fact
    }

    pub(crate) fn claim(&self, generation: i64) -> Outgoing {
        let mut fact = self.fact("claim");
        fact.set_value(b"");
        fact.add_header(name::GENERATION, generation.to_string());
        fact
    }

    /// The record as it is, and how it stands.
    pub(crate) fn parked(&self, record: &dyn RecordView, standing: &Standing<'_>) -> Outgoing {
        let mut fact = self.fact("parked");
        origin(&mut fact, standing.handler, record);
        // A log may give its own timestamps to what is appended.
        let timestamp = record.timestamp().unwrap_or(-1);
        fact.add_header(name::TIMESTAMP, timestamp.to_string());
        explain(&mut fact, standing);
        copy_own(record, &mut fact);
        fact
    }

    /// The record at `at` stands otherwise now.
    pub(crate) fn failed(
        &self,
        record: &dyn RecordView,
        at: i64,
        standing: &Standing<'_>,
    ) -> Outgoing {
        let mut fact = self.fact("failed");
        about(&mut fact, record, at);
        origin(&mut fact, standing.handler, record);
        explain(&mut fact, standing);
        fact
    }

    /// The record at `at` is done; `reason` if it was not handled.
    pub(crate) fn done(
        &self,
        record: &dyn RecordView,
        handler: &str,
        at: i64,
        redrive: Option<&str>,
        reason: Option<&str>,
    ) -> Outgoing {
        let mut fact = self.fact("done");
        about(&mut fact, record, at);
        origin(&mut fact, handler, record);
        if let Some(redrive) = redrive {
            fact.add_header(name::REDRIVE, redrive);
        }
        if let Some(reason) = reason {
            fact.add_header(name::REASON, reason);
        }
        fact
    }
}

fn about(fact: &mut Outgoing, record: &dyn RecordView, at: i64) {
    if let Some(key) = record.key() {
        fact.set_key(key);
    }
    // Empty, but no tombstone.
    fact.set_value(b"");
    fact.add_header(name::AT, at.to_string());
}

fn origin(fact: &mut Outgoing, handler: &str, record: &dyn RecordView) {
    fact.add_header(name::HANDLER, handler);
    fact.add_header(name::TOPIC, record.topic());
    fact.add_header(name::PARTITION, record.partition().to_string());
    fact.add_header(name::OFFSET, record.offset().to_string());
}

fn explain(fact: &mut Outgoing, standing: &Standing<'_>) {
    fact.add_header(name::ATTEMPTS, standing.attempts.to_string());
    fact.add_header(name::NEXT, standing.next.to_string());
    fact.add_header(name::SINCE, standing.since.to_string());
    if !standing.error.is_empty() {
        fact.add_header(name::ERROR, standing.error);
        fact.add_header(name::CODE, standing.code);
    }
}

/// The claim in force at a hint, as offset metadata.
pub(crate) fn encode_claim(claim: &super::ledger::Claim) -> String {
    format!("{}:{}", claim.generation, claim.token)
}

/// The reverse; none for what is not ours.
pub(crate) fn decode_claim(metadata: &str) -> Option<super::ledger::Claim> {
    let (generation, token) = metadata.split_once(':')?;
    let generation = generation.parse().ok()?;
    super::ledger::is_possible(None, generation).then(|| super::ledger::Claim {
        generation,
        token: token.to_owned(),
    })
}
