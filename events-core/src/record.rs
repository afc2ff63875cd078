//! A record as an attempt sees it, and a record on its way out.

use std::fmt;

/// A record of a log, borrowed from whatever client received it.
pub trait RecordView {
    /// The topic.
    fn topic(&self) -> &str;
    /// The partition.
    fn partition(&self) -> i32;
    /// The offset.
    fn offset(&self) -> i64;
    /// Milliseconds since the Unix epoch.
    fn timestamp(&self) -> Option<i64>;
    /// The key.
    fn key(&self) -> Option<&[u8]>;
    /// The value; none for a tombstone.
    fn value(&self) -> Option<&[u8]>;
    /// The header at `index`, in the record's order; `None` past the last. A header's value may be null.
    fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)>;
}

/// A record to be published: all its bytes in one buffer.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The topic.
    pub topic: Topic,
    /// A fixed partition, or the partitioner's choice by key.
    pub partition: Option<i32>,
    /// Milliseconds since the Unix epoch; the client's clock if none.
    pub timestamp: Option<i64>,
    bytes: Vec<u8>,
    key: Option<Span>,
    value: Option<Span>,
    headers: Vec<(Span, Option<Span>)>,
}

/// Start and end in the buffer; a record is far smaller than 4 GiB.
type Span = (u32, u32);

/// A topic's name: static where it comes from a descriptor.
pub type Topic = std::borrow::Cow<'static, str>;

impl Outgoing {
    /// A record with neither key nor value nor headers.
    pub fn new(topic: impl Into<Topic>) -> Self {
        Self {
            topic: topic.into(),
            partition: None,
            timestamp: None,
            bytes: Vec::new(),
            key: None,
            value: None,
            headers: Vec::new(),
        }
    }

    /// The same with room for `bytes` bytes and `headers` headers.
    pub fn with_capacity(topic: impl Into<Topic>, bytes: usize, headers: usize) -> Self {
        let mut record = Self::new(topic);
        record.reserve(bytes, headers);
        record
    }

    /// Makes it a record of `topic` with neither key nor value nor headers, in the memory that it has.
    pub fn reset(&mut self, topic: impl Into<Topic>) {
        self.topic = topic.into();
        (self.partition, self.timestamp) = (None, None);
        (self.key, self.value) = (None, None);
        self.bytes.clear();
        self.headers.clear();
    }

    /// Bytes that fit before it needs more memory.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Makes room for so many more bytes and headers.
    pub fn reserve(&mut self, bytes: usize, headers: usize) {
        self.bytes.reserve_exact(bytes);
        self.headers.reserve_exact(headers);
    }

    /// Sets the key.
    pub fn set_key(&mut self, key: &[u8]) -> &mut Self {
        self.key = Some(self.append(key));
        self
    }

    /// Sets the value.
    pub fn set_value(&mut self, value: &[u8]) -> &mut Self {
        self.value = Some(self.append(value));
        self
    }

    /// Appends a header.
    pub fn add_header(&mut self, name: &str, value: impl AsRef<[u8]>) -> &mut Self {
        self.add_raw_header(name.as_bytes(), Some(value.as_ref()))
    }

    /// Appends a header as some other client wrote it.
    pub fn add_raw_header(&mut self, name: &[u8], value: Option<&[u8]>) -> &mut Self {
        let name = self.append(name);
        let value = value.map(|value| self.append(value));
        self.headers.push((name, value));
        self
    }

    /// The key.
    pub fn key(&self) -> Option<&[u8]> {
        self.key.map(|span| self.bytes(span))
    }

    /// The value.
    pub fn value(&self) -> Option<&[u8]> {
        self.value.map(|span| self.bytes(span))
    }

    /// The headers in their order.
    pub fn headers(&self) -> impl ExactSizeIterator<Item = (&[u8], Option<&[u8]>)> {
        let spans = self.headers.iter();
        spans.map(|(name, value)| (self.bytes(*name), value.map(|span| self.bytes(span))))
    }

    /// The header at `index`, in constant time; `None` past the last.
    pub fn header_at(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        let (name, value) = self.headers.get(index)?;
        Some((self.bytes(*name), value.map(|span| self.bytes(span))))
    }

    /// The value of the last header called `name` that is not null.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        let named = self
            .headers()
            .filter(|(known, _)| *known == name.as_bytes());
        named.filter_map(|(_, value)| value).last()
    }

    /// Bytes held: key, value and headers.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Bytes of memory that the record takes: [`size`](Self::size) and the bookkeeping of the record and of each header.
    pub fn footprint(&self) -> usize {
        let headers = self.headers.len() * size_of::<(Span, Option<Span>)>();
        size_of::<Self>() + self.size() + headers
    }

    fn append(&mut self, bytes: &[u8]) -> Span {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytes);
        (start, self.bytes.len() as u32)
    }

    fn bytes(&self, (start, end): Span) -> &[u8] {
        &self.bytes[start as usize..end as usize]
    }
}

impl fmt::Debug for Outgoing {
    /// Names the record without its payload, which may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("topic", &self.topic)
            .field("key", &self.key().map(String::from_utf8_lossy))
            .field("size", &self.size())
            .field("headers", &self.headers.len())
            .finish_non_exhaustive()
    }
}
