//! A record with arbitrary headers, and the queue that hands it to a lane.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use arbitrary::{Arbitrary, Result, Unstructured};
use events_core::{RecordView, header};
use events_runtime::{Queue, QueueError, Record};

/// A record as some producer wrote it.
#[derive(Debug)]
pub(crate) struct One {
    offset: i64,
    timestamp: Option<i64>,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
    /// How often the headers follow each other.
    times: usize,
}

/// Names that mean something, chosen often enough to meet each other.
const NAMES: [&str; 14] = [
    header::SPEC_VERSION,
    header::ID,
    header::SOURCE,
    header::TYPE,
    header::TIME,
    header::SUBJECT,
    header::EVENT_VERSION,
    header::CORRELATION_ID,
    header::CAUSATION_ID,
    header::HOPS,
    header::CONTENT_TYPE,
    header::TRACE_PARENT,
    header::TRACE_STATE,
    "dl_error",
];

impl<'a> Arbitrary<'a> for One {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self {
            offset: u32::arbitrary(input)?.into(),
            timestamp: Option::<u32>::arbitrary(input)?.map(i64::from),
            key: Arbitrary::arbitrary(input)?,
            value: match input.int_in_range(0..=3)? {
                0 => None,
                1 => Some(Arbitrary::arbitrary(input)?),
                _ => Some(br#"{"key":"k"}"#.to_vec()),
            },
            headers: input
                .arbitrary_iter()?
                .map(|header| header.map(|Header(name, value)| (name, value)))
                .collect::<Result<_>>()?,
            times: 1,
        })
    }
}

struct Header(Vec<u8>, Option<Vec<u8>>);

impl<'a> Arbitrary<'a> for Header {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let name = match input.ratio(7, 8)? {
            true => input.choose(&NAMES)?.as_bytes().to_vec(),
            false => Arbitrary::arbitrary(input)?,
        };
        let value = match input.int_in_range(0..=5)? {
            0 => None,
            1 | 2 => Some(b"Fuzzed".to_vec()),
            3 => Some(u32::arbitrary(input)?.to_string().into_bytes()),
            _ => Some(Arbitrary::arbitrary(input)?),
        };
        Ok(Self(name, value))
    }
}

impl One {
    /// The same with its headers again and again.
    #[allow(dead_code, reason = "not every target repeats them")]
    pub(crate) fn repeated(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// The value of the last header called `name` that has one.
    pub(crate) fn last_value(&self, name: &str) -> Option<&[u8]> {
        let values = self
            .headers
            .iter()
            .filter(|(known, value)| known == name.as_bytes() && value.is_some());
        values.last().and_then(|(_, value)| value.as_deref())
    }

    /// A queue that holds this record alone, and whether it has been taken.
    pub(crate) fn queue(self) -> (OneQueue, Arc<AtomicBool>) {
        let taken = Arc::new(AtomicBool::new(false));
        (
            OneQueue {
                record: Some(self),
                taken: Arc::clone(&taken),
            },
            taken,
        )
    }
}

impl RecordView for One {
    fn topic(&self) -> &str {
        "fuzzed"
    }

    fn partition(&self) -> i32 {
        0
    }

    fn offset(&self) -> i64 {
        self.offset
    }

    fn timestamp(&self) -> Option<i64> {
        self.timestamp
    }

    fn key(&self) -> Option<&[u8]> {
        self.key.as_deref()
    }

    fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }

    fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        if index >= self.headers.len() * self.times {
            return None;
        }
        let (name, value) = &self.headers[index % self.headers.len()];
        Some((name, value.as_deref()))
    }
}

impl Record for One {
    fn size(&self) -> usize {
        self.value.as_ref().map_or(0, Vec::len)
    }
}

/// A queue of one record.
pub(crate) struct OneQueue {
    record: Option<One>,
    taken: Arc<AtomicBool>,
}

impl Queue for OneQueue {
    type Record = One;

    fn poll_batch(
        &mut self,
        _: &mut Context<'_>,
        _: usize,
        into: &mut Vec<One>,
    ) -> Poll<Result<(), QueueError>> {
        let Some(record) = self.record.take() else {
            return Poll::Pending;
        };
        into.push(record);
        self.taken.store(true, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}
