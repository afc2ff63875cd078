//! Lanes over logs that a test writes record by record: offsets that come twice, and duplicates that compaction separates.

mod duplicates;
mod log;
mod map;
mod redelivery;
