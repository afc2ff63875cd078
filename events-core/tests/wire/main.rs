//! What stands on the wire.

mod structured;
