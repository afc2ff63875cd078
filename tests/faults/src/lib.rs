//! What the fault bench and its workers share: the events, how a worker behaves, and the history that all write to.

#![forbid(unsafe_code)]

mod behaviour;
mod events;
mod history;

pub use behaviour::{Behaviour, Fate, Kill};
pub use events::{DONE, Done, TASKS, Task};
pub use history::{BEAT, History, Line, Mark, What, now_micros};
