//! What stands on the wire.

mod numbers;
mod structured;
