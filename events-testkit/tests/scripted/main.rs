//! Lanes over logs that a test writes record by record: offsets that come twice, duplicates that compaction
//! separates, and lanes that end late.

mod cancelled;
mod duplicates;
mod log;
mod map;
mod redelivery;
