//! What one service says of itself, as versioned JSON: its handlers, the events that they take and emit with their
//! schemas, its topics, groups and policies.
//!
//! `manifest` of a service's command line writes it; several of them make the company's graph (see
//! [`Company`](crate::company::Company)).

mod entry;
mod gather;
mod policy;
mod publication;
mod read;

pub use entry::{EventEntry, GroupEntry, HandlerEntry, Manifest, TopicEntry};
pub use policy::{ParkPolicy, Policy};
pub use publication::Publication;
pub use read::ManifestError;

/// The format of manifests that this build writes, and the newest that it reads.
pub const FORMAT: u32 = 1;
