//! Parking: a key that failed waits in order, durably, in a log of facts beside its partition (design §7).
//!
//! ```text
//! slot gives up ─► `parked` fact ─► acknowledged: done in the source ring
//!                        └─► read back ─► due ─► slot ─► `done` fact ─► nothing open any more: the key is released
//! ```

pub(crate) mod copied;
pub(crate) mod fact;
pub(crate) mod ledger;
pub(crate) mod limits;
pub(crate) mod lot;
mod orders;
pub(crate) mod print;
mod reading;
pub(crate) mod record;
pub(crate) mod shared;
mod status;
mod takeover;
pub(crate) mod weight;

pub(crate) use reading::alone;
