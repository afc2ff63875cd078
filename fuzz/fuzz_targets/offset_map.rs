//! Whatever stands in an offset's metadata is read without a panic and within bounds, and what was written is read back.

#![no_main]

use arbitrary::Arbitrary;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use events_runtime::offset_map::{MAX_METADATA, OffsetMap, Run, encode};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    watermark: i64,
    /// Metadata as it came: of another program, damaged, or made on purpose.
    metadata: Vec<u8>,
    /// A map that nobody encoded, but well-formed enough to be read to its end.
    sections: Vec<Section>,
    handlers: Vec<Handler>,
}

#[derive(Arbitrary, Debug)]
struct Handler {
    hash: u32,
    /// Gap before the run, and its length.
    runs: Vec<(u16, u8)>,
}

#[derive(Arbitrary, Debug)]
struct Section {
    hash: u32,
    mode: u8,
    /// Gaps and lengths of any size.
    numbers: Vec<u64>,
}

impl Section {
    fn write(&self, into: &mut Vec<u8>) {
        let mut body = Vec::new();
        for number in &self.numbers {
            write_varint(&mut body, *number);
        }
        into.push(1);
        into.extend(self.hash.to_le_bytes());
        into.push(self.mode % 3);
        write_varint(into, body.len() as u64);
        into.extend(body);
    }
}

fn write_varint(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// Offsets that the broker can hand out, with room for the runs above.
const LARGEST_WATERMARK: i64 = i64::MAX / 2;

fuzz_target!(|input: Input| {
    any_metadata(&input);
    round_trip(&input);
});

fn any_metadata(input: &Input) {
    let text = String::from_utf8_lossy(&input.metadata);
    let mut binary = Vec::new();
    for section in &input.sections {
        section.write(&mut binary);
    }
    let binary = format!("ev1:{}", URL_SAFE_NO_PAD.encode(&binary));
    let prefixed = format!("ev1:{text}");
    for metadata in [text.as_ref(), &prefixed, &binary] {
        let Some(map) = OffsetMap::try_decode(input.watermark, metadata) else {
            assert_eq!(
                OffsetMap::decode(input.watermark, metadata),
                OffsetMap::default()
            );
            continue;
        };
        assert!(metadata.len() <= MAX_METADATA);
        if let Some(end) = map.end() {
            assert!(
                end >= input.watermark,
                "nothing below the watermark is named"
            );
            for handler in input.handlers.iter().map(|handler| handler.hash) {
                assert!(!map.is_done(handler, end), "the end lies behind everything");
                assert!(!map.is_done(handler, i64::MIN));
                assert!(!map.is_done(handler, i64::MAX));
            }
        }
    }
}

fn round_trip(input: &Input) {
    let watermark = input
        .watermark
        .checked_abs()
        .unwrap_or(0)
        .min(LARGEST_WATERMARK);
    let mut handlers: Vec<(u32, Vec<Run>)> = Vec::new();
    for handler in &input.handlers {
        // A group refuses two handlers with the same hash at its start.
        if handlers.iter().all(|(hash, _)| *hash != handler.hash) {
            handlers.push((handler.hash, runs(watermark, &handler.runs)));
        }
    }
    let Some(text) = encode(watermark, &handlers) else {
        return;
    };
    assert!(text.is_ascii(), "the client panics on anything else");
    assert!(text.len() <= MAX_METADATA);
    let map = OffsetMap::try_decode(watermark, &text).expect("what was written is read");
    for (hash, runs) in &handlers {
        for (index, (start, end)) in runs.iter().enumerate() {
            assert!(map.is_done(*hash, *start) && map.is_done(*hash, end - 1));
            assert!(
                !map.is_done(*hash, start - 1),
                "the offset before a run is open"
            );
            let next = runs.get(index + 1).map(|run| run.0);
            assert!(
                next == Some(*end) || !map.is_done(*hash, *end),
                "the offset behind a run is open"
            );
        }
    }
    let last = handlers
        .iter()
        .filter_map(|(_, runs)| Some(runs.last()?.1))
        .max();
    assert_eq!(map.end(), last);
}

/// Runs above the watermark, apart from each other, as a lane writes them.
fn runs(watermark: i64, steps: &[(u16, u8)]) -> Vec<Run> {
    let mut end = watermark;
    let mut runs = Vec::new();
    for (gap, length) in steps {
        let start = end + i64::from(*gap) + 1;
        end = start + i64::from(*length) + 1;
        runs.push((start, end));
    }
    runs
}
