//! Which letters are meant.

use clap::Args;

use super::dialect::Told;
use super::letter::Letter;
use crate::cli::moment::{self, Millis};
use crate::cli::place::Place;

/// Which letters are meant: all that every given word fits.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Filter {
    /// Letters of this handler: `service/handler`.
    #[arg(long)]
    pub(super) handler: Option<String>,
    /// Letters whose error or its causes contain this text, or whose error is of this type.
    #[arg(long)]
    pub(super) error: Option<String>,
    /// Letters of this event type.
    #[arg(long)]
    pub(super) event: Option<String>,
    /// Letters with this key.
    #[arg(long)]
    pub(super) key: Option<String>,
    /// Letters given up then or later: RFC 3339, or how long ago, such as `2h`.
    #[arg(long, value_parser = moment::given, value_name = "TIME")]
    pub(super) since: Option<Millis>,
    /// Letters given up before then.
    #[arg(long, value_parser = moment::given, value_name = "TIME")]
    pub(super) until: Option<Millis>,
    /// This letter; may be given several times.
    #[arg(long, value_name = "TOPIC/PARTITION/OFFSET")]
    pub(super) id: Vec<Place>,
}

impl Filter {
    /// Whether it leaves anything out.
    pub(super) fn is_empty(&self) -> bool {
        let words = [&self.handler, &self.error, &self.event, &self.key];
        words.iter().all(|word| word.is_none())
            && self.since.is_none()
            && self.until.is_none()
            && self.id.is_empty()
    }

    /// What can be said before a letter is kept: what a record's letter and those of its emissions have in common.
    pub(super) fn admits(&self, told: &Told<'_>, time: Millis) -> bool {
        let error = |wanted: &String| {
            let text = told.error.as_deref().unwrap_or_default();
            told.code.as_deref() == Some(&**wanted)
                || text.to_lowercase().contains(&wanted.to_lowercase())
        };
        // Letters of others name no handler; there the word says who gets them.
        let handler = |wanted: &String| {
            told.handler
                .as_deref()
                .is_none_or(|known| known == &**wanted)
        };
        self.handler.as_ref().is_none_or(handler)
            && self.error.as_ref().is_none_or(error)
            && self.since.is_none_or(|since| time >= since)
            && self.until.is_none_or(|until| time < until)
    }

    /// The rest.
    pub(super) fn fits(&self, letter: &Letter) -> bool {
        self.event
            .as_deref()
            .is_none_or(|event| letter.event.as_deref() == Some(event))
            && self
                .key
                .as_ref()
                .is_none_or(|key| letter.key.as_deref() == Some(key.as_bytes()))
            && (self.id.is_empty() || self.id.contains(&letter.id))
    }
}

#[cfg(test)]
mod tests {
    use super::super::dialect;
    use super::super::letter::Words;
    use super::super::samples::{Sample, ours, spring};
    use super::*;

    fn meets(filter: &Filter, record: &Sample) -> bool {
        let headers = dialect::headers(record);
        let told = dialect::read(record, &headers).unwrap();
        let letter = Letter::of(record, &headers, &told, &mut Words::default());
        filter.admits(&told, letter.time) && filter.fits(&letter)
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn every_word_must_fit() {
        let all = Filter::default();
        assert!(all.is_empty() && meets(&all, &ours(7)));
        let noon = moment::parse("2026-01-31T12:00:00Z");
        let fitting = Filter {
            handler: text("shipping/ship"),
            // In the cause, whatever the case.
            error: text("Not Found"),
            event: text("OrderPlaced"),
            key: text("o-1"),
            since: noon,
            until: noon.map(|noon| noon + 1),
            id: vec!["shipping.dead-letters/0/7".parse().unwrap()],
        };
        assert!(meets(&fitting, &ours(7)));
        for other in [
            Filter {
                handler: text("shipping/bill"),
                ..fitting.clone()
            },
            Filter {
                error: text("refused"),
                ..fitting.clone()
            },
            Filter {
                event: text("OrderPaid"),
                ..fitting.clone()
            },
            Filter {
                key: text("o-2"),
                ..fitting.clone()
            },
            Filter {
                since: noon.map(|noon| noon + 1),
                ..fitting.clone()
            },
            Filter {
                until: noon,
                ..fitting.clone()
            },
            Filter {
                id: vec!["shipping.dead-letters/0/8".parse().unwrap()],
                ..fitting.clone()
            },
        ] {
            assert!(!other.is_empty() && !meets(&other, &ours(7)), "{other:?}");
        }
    }

    #[test]
    fn letters_of_others_go_to_whatever_handler_is_named() {
        let filter = Filter {
            handler: text("shipping/ship"),
            ..Filter::default()
        };
        assert!(meets(&filter, &spring(1)));
        let by_type = Filter {
            error: text("com.shop.NoAddress"),
            ..Filter::default()
        };
        assert!(meets(&by_type, &spring(1)));
    }
}
