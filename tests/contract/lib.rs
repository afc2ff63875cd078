//! What the worker process and the tests that start it share: the events, how the worker behaves, what it writes down.

mod behaviour;
mod history;
mod stages;

pub use behaviour::{Behaviour, StartAt};
pub use history::{History, Line, What, now_micros};
pub use stages::*;
