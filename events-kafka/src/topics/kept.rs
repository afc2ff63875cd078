//! Which settings of a topic lose records that are still needed.

use super::catalog::TopicSettings;
use super::{CLEANUP, RETENTION, RETENTION_BYTES};

/// No bound to how long or how many records are kept: parked ones are until they are done, and a letter is as old as its
/// record, so that one of an old record would be gone as soon as it is written.
pub(super) const FOR_EVER: &str = "-1";
/// How such a topic may give up records: only as somebody trims it, which compaction rules out too. Letters, and what is said
/// of them, share keys.
pub(super) const TRIMMED: &str = "delete";

/// A kind of topic that must keep its records, and what is said of one that does not.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) by_time: &'static str,
    pub(super) by_size: &'static str,
    pub(super) by_key: &'static str,
    kind: &'static str,
    lost: &'static str,
}

pub(super) const PARKED: Kept = Kept {
    by_time: "parked-retention",
    by_size: "parked-retention-bytes",
    by_key: "parked-compaction",
    kind: "parked",
    lost: "also those that still wait",
};

pub(super) const LETTERS: Kept = Kept {
    by_time: "dead-letter-retention",
    by_size: "dead-letter-retention-bytes",
    by_key: "dead-letter-compaction",
    kind: "dead-letter",
    lost: "also letters that nobody has looked at; and a letter is as old as its record",
};

/// A setting that loses records, and the value that does not.
#[derive(Debug)]
pub(super) struct Losing {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) setting: &'static str,
    pub(super) value: &'static str,
}

impl Kept {
    pub(super) fn losing(&self, topic: &str, found: TopicSettings) -> Vec<Losing> {
        let mut all = Vec::new();
        let mut losing = |code, what: String, setting, value| {
            let message = format!("the {} topic `{topic}` {what}, {}", self.kind, self.lost);
            all.push(Losing {
                code,
                message,
                setting,
                value,
            });
        };
        if let Some(kept) = found.retention.filter(|kept| *kept >= 0) {
            let what = format!("forgets records after {kept} ms");
            losing(self.by_time, what, RETENTION, FOR_EVER);
        }
        if let Some(kept) = found.retention_bytes.filter(|kept| *kept >= 0) {
            let what = format!("forgets records beyond {kept} bytes of a partition");
            losing(self.by_size, what, RETENTION_BYTES, FOR_EVER);
        }
        if found.compacted == Some(true) {
            let what = "is compacted: it forgets records that a later one of their key replaces";
            losing(self.by_key, what.to_owned(), CLEANUP, TRIMMED);
        }
        all
    }
}
