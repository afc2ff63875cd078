//! Choreographed, event-driven services over Kafka.
#![deny(unsafe_code)]

mod client_log;
mod embedded;
mod error;
mod ffi;
mod member;
mod options;
mod queue;
mod rebalance;
mod sink;

pub use error::KafkaError;
pub use options::{ClientOptions, GroupProtocol};
