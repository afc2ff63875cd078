//! Lanes over logs that a test writes record by record: offsets that come twice, and duplicates that compaction separates.

mod log;
mod map;
mod redelivery;
