//! The ids of the topics that a position was committed for.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{MAX_METADATA, PREFIX, RUNS};

/// Kafka's id of a topic: a topic that is deleted and created again has another one.
pub type TopicId = [u8; 16];

/// A section of an offset map that names no handler: a marker and the id, in the place of five
/// handler hashes, without runs. Builds that do not know it read it as a section of handlers that
/// they do not have, with nothing done.
const SECTION: usize = 1 + 4 + 16 + 2;
const HASHES: u8 = 5;
const TOPIC: [u8; 4] = *b"tid1";
const PARKED: [u8; 4] = *b"pid1";

/// The ids of the topics that a committed position belongs to, as far as they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TopicIds {
    /// The topic that is read.
    pub topic: Option<TopicId>,
    /// Its parked topic.
    pub parked: Option<TopicId>,
}

impl TopicIds {
    /// Reads the ids from committed metadata; none from metadata without them.
    pub fn read(metadata: &str) -> Self {
        let mut ids = Self::default();
        let binary = metadata.strip_prefix(PREFIX);
        let Some(binary) = binary.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()) else {
            return ids;
        };
        // They stand behind the map, so they are read from the end on.
        let mut rest = binary.as_slice();
        while let Some((before, section)) = rest.split_last_chunk::<SECTION>()
            && let Some((marker, id)) = id_of(section)
        {
            match marker {
                TOPIC => ids.topic = Some(id),
                PARKED => ids.parked = Some(id),
                _ => break,
            }
            rest = before;
        }
        ids
    }

    /// Adds the ids to an offset map, as far as they fit into `most` bytes: that of the topic
    /// before that of the parked topic.
    pub fn write(&self, map: &str, most: usize) -> String {
        let most = most.min(MAX_METADATA);
        let encoded = map.strip_prefix(PREFIX).unwrap_or_default();
        let Ok(mut binary) = URL_SAFE_NO_PAD.decode(encoded) else {
            return map.to_owned();
        };
        let before = binary.len();
        for (marker, id) in [(TOPIC, self.topic), (PARKED, self.parked)] {
            let Some(id) = id else { continue };
            let size = PREFIX.len() + ((binary.len() + SECTION) * 4).div_ceil(3);
            if size > most {
                break;
            }
            binary.push(HASHES);
            binary.extend_from_slice(&marker);
            binary.extend_from_slice(&id);
            binary.extend_from_slice(&[RUNS, 0]);
        }
        if binary.len() == before {
            return map.to_owned();
        }
        let mut text = PREFIX.to_owned();
        URL_SAFE_NO_PAD.encode_string(&binary, &mut text);
        text
    }
}

fn id_of(section: &[u8; SECTION]) -> Option<([u8; 4], TopicId)> {
    let (count, rest) = section.split_first()?;
    let (marker, rest) = rest.split_first_chunk::<4>()?;
    let (id, rest) = rest.split_first_chunk::<16>()?;
    (*count == HASHES && rest == [RUNS, 0]).then_some((*marker, *id))
}

#[cfg(test)]
mod tests {
    use super::super::{OffsetMap, encode};
    use super::*;

    const IDS: TopicIds = TopicIds {
        topic: Some(*b"0123456789abcdef"),
        parked: Some(*b"ABCDEFGHIJKLMNOP"),
    };

    #[test]
    fn the_format_is_pinned() {
        let map = encode(100, &[(7, vec![(102, 105)])]).unwrap();
        assert_eq!(map, "ev1:AQcAAAABARw");
        assert_eq!(
            IDS.write(&map, MAX_METADATA),
            "ev1:AQcAAAABARwFdGlkMTAxMjM0NTY3ODlhYmNkZWYAAAVwaWQxQUJDREVGR0hJSktMTU5PUAAA"
        );
    }

    #[test]
    fn ids_are_read_as_they_were_written_and_change_no_map() {
        for runs in [vec![], vec![(102, 105)], vec![(101, 102), (5_000, 5_001)]] {
            let map = encode(100, &[(7, runs.clone()), (9, vec![(101, 102)])]).unwrap();
            for ids in [
                IDS,
                TopicIds::default(),
                TopicIds {
                    parked: None,
                    ..IDS
                },
                TopicIds { topic: None, ..IDS },
            ] {
                let text = ids.write(&map, MAX_METADATA);
                assert_eq!(TopicIds::read(&text), ids, "{text}");
                let read = OffsetMap::try_decode(100, &text).unwrap();
                assert_eq!(read.runs_from(7, 0), runs);
                assert_eq!(read.runs_from(9, 0), [(101, 102)]);
                assert_eq!(read.end(), OffsetMap::decode(100, &map).end());
            }
        }
    }

    #[test]
    fn ids_never_make_metadata_larger_than_it_may_be() {
        let map = encode(100, &[(7, vec![(102, 105)])]).unwrap();
        for most in 0..100 {
            let text = IDS.write(&map, most);
            assert!(text.len() <= most.max(map.len()), "{most}: {text}");
            let read = TopicIds::read(&text);
            assert!(read.topic.is_some() || read.parked.is_none(), "{most}");
        }
        assert_eq!(TopicIds::read("another program's"), TopicIds::default());
        assert_eq!(TopicIds::read("ev1:!"), TopicIds::default());
    }
}
