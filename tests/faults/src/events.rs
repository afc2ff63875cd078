//! The events: tasks come in, and what is done goes out.

use events_kafka::event;

/// Where tasks stand.
pub const TASKS: &str = "faults.tasks";
/// Where the reactions stand.
pub const DONE: &str = "faults.done";

/// Work to be done.
#[event(name = "FaultTask", topic = "faults.tasks", key = key)]
pub struct Task {
    /// Tasks of one key are done in order.
    pub key: String,
    /// Counts the tasks of a scenario, so that it grows along each key.
    pub number: u64,
}

/// A task was done.
#[event(name = "FaultDone", topic = "faults.done", key = key)]
pub struct Done {
    /// The task's.
    pub key: String,
    /// The task's.
    pub number: u64,
}
