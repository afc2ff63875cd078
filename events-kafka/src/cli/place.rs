//! Where a record stands in the log, as people name it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use events_core::RecordView;
use serde::{Serialize, Serializer};

/// `topic/partition/offset`: the name of a dead letter or of a parked record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
    pub(super) offset: i64,
}

impl Place {
    pub(super) fn new(topic: impl Into<Arc<str>>, partition: i32, offset: i64) -> Self {
        Self {
            topic: topic.into(),
            partition,
            offset,
        }
    }

    pub(super) fn of(record: &dyn RecordView) -> Self {
        Self::new(record.topic(), record.partition(), record.offset())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let no_id = || {
            format!(
                "`{text}` is no id; an id is topic/partition/offset, such as payments.dead-letters/0/17: `list --each` shows them"
            )
        };
        let mut parts = text.rsplitn(3, '/');
        let mut number = || {
            parts
                .next()?
                .parse::<i64>()
                .ok()
                .filter(|number| *number >= 0)
        };
        let offset = number().ok_or_else(no_id)?;
        let partition = number().and_then(|number| i32::try_from(number).ok());
        let partition = partition.ok_or_else(no_id)?;
        // A topic's name holds no slash.
        match parts.next() {
            Some(topic) if !topic.is_empty() && !topic.contains('/') => {
                Ok(Self::new(topic, partition, offset))
            }
            _ => Err(no_id()),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let place = Place::new("payments.dead-letters", 3, 17);
        assert_eq!(place.to_string().parse(), Ok(place));
    }

    #[test]
    fn what_is_no_id_says_what_one_looks_like() {
        for text in [
            "", "17", "0/17", "/0/17", "a/b/0/17", "a/-1/0", "a/0/x", "a/0/17/",
        ] {
            let said = text.parse::<Place>().unwrap_err();
            assert!(said.contains("topic/partition/offset"), "{text}: {said}");
        }
    }
}
