//! What a record looks like that was given up on (D5).

use std::sync::Arc;

use events_core::{Error, Outgoing, RecordView, time_now};

use crate::driver::failure::code;
use crate::lane::context::LaneContext;
use crate::plan::HandlerPlan;
use crate::transport::Record;
use crate::work::Work;

mod dialect;
mod shrunk;
mod untimed;

pub use dialect::Dialects;
pub(crate) use shrunk::{reference, shrunk};
pub(crate) use untimed::untimed;

/// Names of the headers that a dead letter has beside the record's own.
pub mod dead_letter_header {
    /// Topic that the record came from.
    pub const TOPIC: &str = "dl_topic";
    /// Partition that it came from.
    pub const PARTITION: &str = "dl_partition";
    /// Offset that it had.
    pub const OFFSET: &str = "dl_offset";
    /// The handler that gave it up: `service/handler`.
    pub const HANDLER: &str = "dl_handler";
    /// The error and its causes, outermost first, cut to 16 KiB.
    pub const ERROR: &str = "dl_error";
    /// The record's time in milliseconds since the Unix epoch, where the dead-letter topic refuses it as the letter's own.
    pub const TIMESTAMP: &str = "dl_timestamp";
    /// Attempts made.
    pub const ATTEMPTS: &str = "dl_attempts";
    /// When it was given up, RFC 3339.
    pub const TIME: &str = "dl_time";
    /// `record` for what came in, `emission` for what could not be published and stands beside it.
    pub const KIND: &str = "dl_kind";
    /// The error's code: its type's name, or the code that it was given.
    pub const CODE: &str = "dl_code";
    /// When the record was parked, in milliseconds since the Unix epoch, if it was.
    pub const SINCE: &str = "dl_since";
    /// Bytes of the value that the letter left out, because it would have been too large: of an emission, or of a record
    /// whose letter is a [reference](REFERENCE).
    pub const OMITTED: &str = "dl_omitted";
    /// Headers of the record that the letter left out, because there were too many.
    pub const OMITTED_HEADERS: &str = "dl_omitted_headers";
    /// `origin` for a letter that carries no record, because it is larger than records or the letter's topic may be: the record
    /// stands where topic, partition and offset say, for as long as its topic keeps it.
    pub const REFERENCE: &str = "dl_reference";
    /// `resolution` for a word about a letter; letters have none. Of this and the following headers it has all.
    pub const FACT: &str = "dl_fact";
    /// The letter that a resolution is about: `topic/partition/offset`.
    pub const OF: &str = "dl_of";
    /// What became of it: `redrive-requested`, `redrive-refused`, `redriven`, `discarded` or `edited`.
    pub const RESOLUTION: &str = "dl_resolution";
    /// Why.
    pub const REASON: &str = "dl_reason";
    /// Who said so.
    pub const ACTOR: &str = "dl_actor";
}

use dead_letter_header as name;

/// Most bytes of error text.
const MAX_ERROR: usize = 16 * 1024;
const PREFIX: &[u8] = b"dl_";

/// Why, and after how many attempts.
pub(crate) struct Verdict<'a> {
    pub(crate) handler: &'a HandlerPlan,
    /// The error and its causes.
    pub(crate) text: String,
    pub(crate) attempts: u32,
    /// The error's code.
    pub(crate) code: String,
    pub(crate) dialects: Dialects,
    pub(crate) group: &'a str,
    /// When the record was parked, if it was.
    pub(crate) since: Option<i64>,
}

impl Verdict<'_> {
    /// The dead letter of a received record.
    pub(crate) fn of_record(&self, topic: &str, record: &dyn RecordView) -> Outgoing {
        let mut letter = Outgoing::new(topic.to_owned());
        letter.timestamp = record.timestamp();
        if let Some(key) = record.key() {
            letter.set_key(key);
        }
        if let Some(value) = record.value() {
            letter.set_value(value);
        }
        let mut index = 0;
        while let Some((header, value)) = record.header(index) {
            index += 1;
            self.add(&mut letter, header, value);
        }
        self.explain(&mut letter, "record", record);
        letter
    }

    /// The dead letter of an emission of that record.
    pub(crate) fn of_emission(
        &self,
        topic: &str,
        record: &dyn RecordView,
        emission: &Outgoing,
    ) -> Outgoing {
        let mut letter = Outgoing::new(topic.to_owned());
        letter.timestamp = emission.timestamp;
        if let Some(key) = emission.key() {
            letter.set_key(key);
        }
        if let Some(value) = emission.value() {
            letter.set_value(value);
        }
        for (header, value) in emission.headers() {
            self.add(&mut letter, header, value);
        }
        self.explain(&mut letter, "emission", record);
        letter
    }

    fn explain(&self, letter: &mut Outgoing, kind: &str, record: &dyn RecordView) {
        letter.add_header(name::KIND, kind);
        letter.add_header(name::TOPIC, record.topic());
        letter.add_header(name::PARTITION, record.partition().to_string());
        letter.add_header(name::OFFSET, record.offset().to_string());
        letter.add_header(name::HANDLER, &self.handler.stable_name);
        letter.add_header(name::ERROR, &self.text);
        letter.add_header(name::CODE, &self.code);
        if let Some(since) = self.since {
            letter.add_header(name::SINCE, since.to_string());
        }
        letter.add_header(name::ATTEMPTS, self.attempts.to_string());
        letter.add_header(name::TIME, time_now());
        self.dialects.explain(letter, record, self.group);
    }

    /// A header of the record itself. What an earlier dead letter said of it is left out.
    fn add(&self, letter: &mut Outgoing, header: &[u8], value: Option<&[u8]>) {
        if !self.dialects.has(header) {
            add(letter, header, value);
        }
    }
}

/// The word that a dead letter is redriven or discarded, or that its redrive was refused.
pub(crate) fn resolution_of(
    lane: &LaneContext,
    key: Option<&[u8]>,
    of: &str,
    outcome: &str,
    reason: &str,
) -> Outgoing {
    let mut word = Outgoing::new(lane.group.dead_letters.clone());
    if let Some(key) = key {
        word.set_key(key);
    }
    // Empty, but no tombstone.
    word.set_value(b"");
    word.add_header(name::FACT, "resolution");
    word.add_header(name::OF, of);
    word.add_header(name::RESOLUTION, outcome);
    word.add_header(name::REASON, reason);
    word.add_header(name::ACTOR, lane.group.service.service());
    word.add_header(name::TIME, time_now());
    word
}

/// The dead letter of a record, and of emissions that could not be published.
pub(crate) fn letters<R: Record>(
    lane: &LaneContext,
    handler: &HandlerPlan,
    work: &Work<R>,
    error: &Error,
    refused: &[Arc<Outgoing>],
) -> Vec<Arc<Outgoing>> {
    let verdict = Verdict {
        handler,
        text: chain(error),
        attempts: work.attempt,
        code: code(error),
        dialects: lane.group.settings.dead_letter_headers,
        group: &lane.group.group,
        since: work.record.parked().map(|parked| parked.since),
    };
    let topic = &lane.group.dead_letters;
    let record: &dyn RecordView = &*work.record;
    let most = lane.publish.max_letter_bytes();
    let fit = |letter: Outgoing| {
        let small = letter.size() <= most;
        let cut = if small {
            None
        } else {
            shrunk(&letter, verdict.dialects)
        };
        Arc::new(cut.unwrap_or(letter))
    };
    let mut letter = verdict.of_record(topic, record);
    let left_out = work.record.left_out();
    if left_out.headers > 0 {
        letter.add_header(name::OMITTED_HEADERS, left_out.headers.to_string());
    }
    if left_out.value > 0 {
        letter.add_header(name::OMITTED, left_out.value.to_string());
        letter.add_header(name::REFERENCE, "origin");
    }
    let mut letters = vec![fit(letter)];
    letters.extend(
        refused
            .iter()
            .map(|emission| fit(verdict.of_emission(topic, record, emission))),
    );
    letters
}

/// A header of the record itself. What an earlier dead letter said of it is left out, and so is a null value: some
/// clients refuse it.
fn add(letter: &mut Outgoing, header: &[u8], value: Option<&[u8]>) {
    if !header.starts_with(PREFIX)
        && let Some(value) = value
    {
        letter.add_raw_header(header, Some(value));
    }
}

/// The error and its causes, outermost first.
pub(crate) fn chain(error: &Error) -> String {
    let mut text = String::new();
    for (depth, cause) in error.chain().enumerate() {
        if depth > 0 {
            text.push_str("\ncaused by: ");
        }
        text.push_str(&cause.to_string());
        if text.len() > MAX_ERROR {
            text.truncate(text.floor_char_boundary(MAX_ERROR));
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the header's documentation promises.
    const MOST: usize = 16 * 1024;

    #[test]
    fn a_long_error_is_cut_before_the_character_that_does_not_fit() {
        let fits = "x".repeat(MOST - 1);
        for (end, kept) in [("é", ""), ("€", ""), ("yz", "y"), ("y", "y"), ("", "")] {
            let error = Error::msg(format!("{fits}{end}"));
            assert!(chain(&error) == format!("{fits}{kept}"), "{end:?}");
        }
    }

    #[test]
    fn the_outermost_of_long_causes_are_kept() {
        let error = Error::msg("€".repeat(MOST)).context("no stock");
        let text = chain(&error);
        assert!(text.starts_with("no stock\ncaused by: €€"));
        assert!((MOST - 2..=MOST).contains(&text.len()));
        let error = error.context("x".repeat(MOST + 1));
        assert!(chain(&error) == "x".repeat(MOST));
    }
}
