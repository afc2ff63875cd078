//! Tests of choreographed services without a network: an in-memory broker, a harness for handlers, and the suite that
//! every broker must pass.

mod broker;
pub mod conformance;
mod coordinator;
mod edge;
mod eventually;
mod fault;
mod harness;
mod log;
mod member;
mod outcome;
mod partitioner;
mod producer;
mod queue;
mod received;
mod running;
mod start;
mod state;

pub use broker::Broker;
pub use eventually::{eventually, throughout};
pub use harness::Harness;
pub use outcome::{DeadLetter, Outcome};
pub use received::Received;
pub use running::RunningService;
