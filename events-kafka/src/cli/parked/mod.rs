//! `parked`: keys that wait.

pub(super) mod names;
