//! Headers of dead letters as others write them, so that tools made for theirs read ours too.

use events_core::{Outgoing, RecordView};

use super::dead_letter_header as own;

/// Whose headers a dead letter has beside its own. Default: nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dialects {
    /// Spring Kafka's: `kafka_dlt-original-topic`, `kafka_dlt-exception-message` and their like, with big-endian numbers.
    pub spring: bool,
    /// Kafka Connect's: `__connect.errors.topic`, `__connect.errors.exception.message` and their like.
    pub connect: bool,
}

impl Dialects {
    /// Whether a header is one of those, put there by an earlier dead letter.
    pub(super) fn has(self, name: &[u8]) -> bool {
        (self.spring && name.starts_with(b"kafka_dlt-"))
            || (self.connect && name.starts_with(b"__connect.errors."))
    }

    /// Says in words of others what the letter says in ours.
    pub(super) fn explain(self, letter: &mut Outgoing, record: &dyn RecordView, group: &str) {
        if self == Self::default() {
            return;
        }
        let told = |name: &str| letter.header(name).unwrap_or_default().to_vec();
        let (handler, code, text) = (told(own::HANDLER), told(own::CODE), told(own::ERROR));
        if self.spring {
            let mut add = |name: &str, value: &[u8]| {
                letter.add_header(&format!("kafka_dlt-{name}"), value);
            };
            add("original-topic", record.topic().as_bytes());
            add("original-partition", &record.partition().to_be_bytes());
            add("original-offset", &record.offset().to_be_bytes());
            if let Some(time) = record.timestamp() {
                add("original-timestamp", &time.to_be_bytes());
                add("original-timestamp-type", b"CreateTime");
            }
            add("original-consumer-group", group.as_bytes());
            add("exception-fqcn", &code);
            add("exception-message", &text);
        }
        if self.connect {
            let mut add = |name: &str, value: &[u8]| {
                letter.add_header(&format!("__connect.errors.{name}"), value);
            };
            add("topic", record.topic().as_bytes());
            add("partition", record.partition().to_string().as_bytes());
            add("offset", record.offset().to_string().as_bytes());
            add("connector.name", &handler);
            add("exception.class.name", &code);
            add("exception.message", &text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Origin;

    impl RecordView for Origin {
        fn topic(&self) -> &str {
            "orders"
        }

        fn partition(&self) -> i32 {
            3
        }

        fn offset(&self) -> i64 {
            41
        }

        fn timestamp(&self) -> Option<i64> {
            Some(1_000)
        }

        fn key(&self) -> Option<&[u8]> {
            None
        }

        fn value(&self) -> Option<&[u8]> {
            None
        }

        fn header(&self, _: usize) -> Option<(&[u8], Option<&[u8]>)> {
            None
        }
    }

    fn letter(dialects: Dialects) -> Outgoing {
        let mut letter = Outgoing::new("shipping.dead-letters");
        letter.add_header(own::HANDLER, "shipping/ship");
        letter.add_header(own::CODE, "NoAddress");
        letter.add_header(own::ERROR, "no address");
        dialects.explain(&mut letter, &Origin, "shipping");
        letter
    }

    #[test]
    fn nobody_else_is_imitated_unless_asked() {
        assert_eq!(letter(Dialects::default()).headers().len(), 3);
    }

    #[test]
    fn numbers_are_written_as_each_reads_them() {
        let spring = letter(Dialects {
            spring: true,
            connect: false,
        });
        for (name, value) in [
            ("original-topic", &b"orders"[..]),
            ("original-partition", &[0, 0, 0, 3]),
            ("original-offset", &[0, 0, 0, 0, 0, 0, 0, 41]),
            ("original-timestamp", &[0, 0, 0, 0, 0, 0, 3, 232]),
            ("exception-fqcn", b"NoAddress"),
            ("exception-message", b"no address"),
        ] {
            assert_eq!(
                spring.header(&format!("kafka_dlt-{name}")),
                Some(value),
                "{name}"
            );
        }
        let connect = letter(Dialects {
            spring: false,
            connect: true,
        });
        for (name, value) in [
            ("topic", "orders"),
            ("partition", "3"),
            ("offset", "41"),
            ("exception.class.name", "NoAddress"),
            ("exception.message", "no address"),
        ] {
            let name = format!("__connect.errors.{name}");
            assert_eq!(connect.header(&name), Some(value.as_bytes()), "{name}");
        }
        assert_eq!(connect.headers().len(), 9);
    }

    #[test]
    fn what_an_earlier_letter_said_is_known() {
        let both = Dialects {
            spring: true,
            connect: true,
        };
        let letter = letter(both);
        assert!(letter.headers().skip(3).all(|(name, _)| both.has(name)));
        assert!(!Dialects::default().has(b"kafka_dlt-original-topic") && !both.has(b"ce_type"));
    }
}
