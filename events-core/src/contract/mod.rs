//! Contracts: what was released of an event type, and whether a change still lets everybody read everything.
//!
//! A contract is one file, `contracts/<wire name, escaped>.json`: per version the full JSON Schema, its fingerprint,
//! what `#[event]` sees of the fields, and whether it was released. What is here reads these files; commands write them.

mod compare;
mod declaration;
mod file;
mod fingerprint;
mod history;
mod model;
mod review;
mod rule;
mod shelf;

pub use compare::{Break, reads};
pub use declaration::{Declaration, lock_directories};
pub use file::{FORMAT, LockError, file_name};
pub use fingerprint::fingerprint;
pub use history::Breach;
pub(crate) use history::stands_in;
pub use model::{Contract, DeclaredField, FieldTokens, Version};
pub use review::{review, review_released};
pub use rule::Rule;
#[doc(hidden)]
pub use shelf::keep;
pub use shelf::{check_events, check_strangers, locks_in, read_lock};
