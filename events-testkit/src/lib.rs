//! Tests of choreographed services without a network: an in-memory broker, a harness for handlers, and the suite that
//! every broker must pass.

mod broker;
mod fault;
pub mod conformance;
mod running;
mod member;
mod start;
mod coordinator;
mod state;
mod log;
mod partitioner;
mod queue;
mod producer;
mod received;
mod edge;
mod eventually;

pub use broker::Broker;
pub use eventually::{eventually, throughout};
pub use received::Received;
pub use running::RunningService;
