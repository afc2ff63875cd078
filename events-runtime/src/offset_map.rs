//! The compact map of what is done above the watermark, as offset metadata (D3 a).
//!
//! `ev1:` and then base64url of: for each distinct set of done offsets, a count of handlers and their 4-byte hashes,
//! a mode byte, a length, and the body. Mode 0 is runs: pairs of varints (gap, length), from the watermark on. Mode 1 is a
//! bitmap from the watermark on, low bit first. Kafka limits metadata to 4,096 bytes; this map stays within 3,900.
//! A section without runs may carry a topic id ([`TopicIds`]).

mod topic_ids;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use topic_ids::{TopicId, TopicIds};

/// Most bytes of metadata, in ASCII.
pub const MAX_METADATA: usize = 3_900;

const PREFIX: &str = "ev1:";
/// Most bytes before base64, which makes four of three.
const MAX_BINARY: usize = (MAX_METADATA - PREFIX.len()) / 4 * 3;
/// Count, hash, mode and length of one handler's section.
const SECTION: usize = 1 + 4 + 1 + 2;

/// What a record that is not dispatched yet can add to a section: a gap and a length, and up to three bytes more for a gap in
/// the log before it.
const PAIR: u64 = 2 + 3;

const RUNS: u8 = 0;
const BITMAP: u8 = 1;

/// A half-open range of offsets.
pub type Run = (i64, i64);

/// What was done above a watermark, per handler hash.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OffsetMap {
    sections: Vec<(Vec<u32>, Vec<Run>)>,
}

impl OffsetMap {
    /// Whether the record at `offset` is done for the handler.
    pub fn is_done(&self, handler: u32, offset: i64) -> bool {
        let sections = self
            .sections
            .iter()
            .filter(|(hashes, _)| hashes.contains(&handler));
        sections
            .flat_map(|(_, runs)| find(runs, offset))
            .next()
            .is_some()
    }

    /// The offset behind the last done one; `None` if nothing is done above the watermark.
    pub fn end(&self) -> Option<i64> {
        self.sections
            .iter()
            .filter_map(|(_, runs)| runs.last().map(|run| run.1))
            .max()
    }

    /// What is done for the handler from `offset` on.
    pub fn runs_from(&self, handler: u32, offset: i64) -> Vec<Run> {
        let section = self
            .sections
            .iter()
            .find(|(hashes, _)| hashes.contains(&handler));
        let runs = section.map_or(&[][..], |(_, runs)| runs.as_slice());
        let after = runs.partition_point(|run| run.1 <= offset);
        let runs = runs[after..].iter();
        runs.map(|run| (run.0.max(offset), run.1)).collect()
    }

    /// Reads metadata that [`encode`] wrote above `watermark`.
    ///
    /// Anything else, of another program or damaged, reads as an empty map: then records are handled again, and
    /// nothing is lost.
    pub fn decode(watermark: i64, metadata: &str) -> Self {
        Self::try_decode(watermark, metadata).unwrap_or_default()
    }

    /// The same, `None` for anything that `encode` did not write.
    pub fn try_decode(watermark: i64, metadata: &str) -> Option<Self> {
        if metadata.is_empty() {
            return Some(Self::default());
        }
        if metadata.len() > MAX_METADATA {
            return None;
        }
        let binary = URL_SAFE_NO_PAD
            .decode(metadata.strip_prefix(PREFIX)?)
            .ok()?;
        let mut input = binary.as_slice();
        let mut sections = Vec::new();
        while !input.is_empty() {
            let count = usize::try_from(varint(&mut input)?).ok()?;
            let (hashes, rest) = input.split_at_checked(count.checked_mul(4)?)?;
            let (mode, rest) = rest.split_first()?;
            input = rest;
            let length = usize::try_from(varint(&mut input)?).ok()?;
            let (body, rest) = input.split_at_checked(length)?;
            input = rest;
            let runs = match *mode {
                RUNS => decode_runs(watermark, body)?,
                BITMAP => decode_bitmap(watermark, body)?,
                _ => return None,
            };
            let hashes = hashes
                .chunks_exact(4)
                .map(|hash| u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]));
            sections.push((hashes.collect(), runs));
        }
        Some(Self { sections })
    }
}

fn find(runs: &[Run], offset: i64) -> Option<Run> {
    let after = runs.partition_point(|run| run.1 <= offset);
    runs.get(after).copied().filter(|run| run.0 <= offset)
}

/// Writes what is done above `watermark`: for each handler its hash and its runs, sorted and apart from each other.
/// `None` if the map would be too large; the lane's dispatch bound keeps that from happening.
pub fn encode(watermark: i64, handlers: &[(u32, Vec<Run>)]) -> Option<String> {
    let text = write(watermark, handlers);
    (text.len() <= MAX_METADATA).then_some(text)
}

/// Writes as much of it as fits into `most` bytes: what is done below some offset. A shorter map is true, it only says less,
/// so what it leaves out is handled again by the partition's next owner. `None` stands for the end of a whole map.
pub fn encode_within(
    watermark: i64,
    handlers: &[(u32, Vec<Run>)],
    most: usize,
) -> (String, Option<i64>) {
    let whole = write(watermark, handlers);
    if whole.len() <= most {
        return (whole, None);
    }
    let ends = handlers.iter().filter_map(|(_, runs)| runs.last());
    let end = ends.map(|run| run.1).max().unwrap_or(watermark);
    // The size grows with the end: runs only become more and longer, and handlers share fewer of them.
    let (mut fits, mut too_far) = (watermark, end);
    let mut text = String::new();
    while fits + 1 < too_far {
        let middle = fits.midpoint(too_far);
        let shorter = write(watermark, &below(handlers, middle));
        if shorter.len() <= most {
            (fits, text) = (middle, shorter);
        } else {
            too_far = middle;
        }
    }
    (text, Some(fits))
}

/// The runs as far as they lie below `end`.
fn below(handlers: &[(u32, Vec<Run>)], end: i64) -> Vec<(u32, Vec<Run>)> {
    let cut = |runs: &Vec<Run>| {
        let runs = runs.iter().take_while(|run| run.0 < end);
        runs.map(|run| (run.0, run.1.min(end))).collect()
    };
    let cut = handlers.iter().map(|(hash, runs)| (*hash, cut(runs)));
    cut.collect()
}

fn write(watermark: i64, handlers: &[(u32, Vec<Run>)]) -> String {
    let mut binary = Vec::new();
    let mut written = vec![false; handlers.len()];
    for (index, (_, runs)) in handlers.iter().enumerate() {
        if written[index] || runs.is_empty() {
            continue;
        }
        let same: Vec<_> = (index..handlers.len())
            .filter(|other| handlers[*other].1 == *runs)
            .collect();
        push_varint(&mut binary, same.len() as u64);
        for other in same {
            written[other] = true;
            binary.extend_from_slice(&handlers[other].0.to_le_bytes());
        }
        let by_runs = encode_runs(watermark, runs);
        let span = runs.last().map_or(0, |run| run.1 - watermark);
        let bitmap_size = usize::try_from(span).map_or(usize::MAX, |span| span.div_ceil(8));
        let (mode, body) = if bitmap_size < by_runs.len() {
            (BITMAP, encode_bitmap(watermark, runs, bitmap_size))
        } else {
            (RUNS, by_runs)
        };
        binary.push(mode);
        push_varint(&mut binary, body.len() as u64);
        binary.extend_from_slice(&body);
    }
    if binary.is_empty() {
        return String::new();
    }
    let mut text = PREFIX.to_owned();
    URL_SAFE_NO_PAD.encode_string(&binary, &mut text);
    text
}

/// Whether the map is sure to fit once `more` records have been dispatched, however those that are not done yet finish.
///
/// `span` is the distance from the watermark to the last offset that the map will tell of, `open` says for each handler how
/// many of the records dispatched so far it has not done, and at most `widest` handlers take one record. A bitmap takes a bit
/// for each offset. Of runs there is at most one more than there are open records; their gaps and lengths add up to the span,
/// so that only one in 128 offsets can make one of these numbers a byte longer. The smaller of the two bounds the section.
/// What comes adds a pair to the section of each handler that takes it, or bits to a bitmap.
pub fn fits(span: u64, open: impl Iterator<Item = u64>, more: u64, widest: u64) -> bool {
    let bitmap = span.div_ceil(8);
    let runs = |open: u64| {
        let numbers = open.saturating_add(1).saturating_mul(2);
        let longer = (1..varint_size(span)).map(|bytes| numbers.min(span >> (7 * bytes)));
        longer.fold(numbers, u64::saturating_add)
    };
    let pairs = more.saturating_mul(PAIR);
    let (mut each_takes_all, mut taken_by_few) = (0u64, pairs.saturating_mul(widest));
    for open in open {
        let runs = runs(open);
        let section = |body| SECTION as u64 + bitmap.min(body);
        each_takes_all = each_takes_all.saturating_add(section(runs.saturating_add(pairs)));
        taken_by_few = taken_by_few.saturating_add(section(runs));
    }
    each_takes_all.min(taken_by_few) <= MAX_BINARY as u64
}

fn encode_runs(watermark: i64, runs: &[Run]) -> Vec<u8> {
    let mut body = Vec::with_capacity(runs.len() * 4);
    let mut end = watermark;
    for run in runs {
        push_varint(&mut body, (run.0 - end) as u64);
        push_varint(&mut body, (run.1 - run.0) as u64);
        end = run.1;
    }
    body
}

fn decode_runs(watermark: i64, mut body: &[u8]) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    let mut end = watermark;
    while !body.is_empty() {
        let start = end.checked_add(i64::try_from(varint(&mut body)?).ok()?)?;
        end = start.checked_add(i64::try_from(varint(&mut body)?).ok()?)?;
        runs.push((start, end));
    }
    Some(runs)
}

fn encode_bitmap(watermark: i64, runs: &[Run], size: usize) -> Vec<u8> {
    let mut body = vec![0u8; size];
    for run in runs {
        for offset in run.0..run.1 {
            let bit = (offset - watermark) as usize;
            body[bit / 8] |= 1 << (bit % 8);
        }
    }
    body
}

fn decode_bitmap(watermark: i64, body: &[u8]) -> Option<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    for (index, byte) in body.iter().enumerate() {
        for bit in (0..8).filter(|bit| byte & (1 << bit) != 0) {
            let offset = watermark.checked_add(i64::try_from(index * 8 + bit).ok()?)?;
            match runs.last_mut() {
                Some(run) if run.1 == offset => run.1 = offset.checked_add(1)?,
                _ => runs.push((offset, offset.checked_add(1)?)),
            }
        }
    }
    Some(runs)
}

fn varint_size(value: u64) -> usize {
    (64 - value.max(1).leading_zeros() as usize).div_ceil(7)
}

fn push_varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

fn varint(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            // The tenth byte has room for one bit.
            return (shift < 63 || *byte <= 1).then_some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests;
