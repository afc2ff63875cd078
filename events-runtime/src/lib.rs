//! The engine of choreographed services: lanes, slots, retries, dead letters, emissions. It knows no broker.
//!
//! ```text
//! queue ─► lane (headers only) ─► dedupe ─► slot by key ─► decode ─► handler ─► emit ─► done ring ─► watermark ─► commit
//! ```
//!
//! A transport implements [`Queue`] and [`Publish`], and drives a [`Group`]: it assigns and revokes partitions and
//! commits the group's positions. Users meet this crate through `events-kafka` and `events-testkit`.

mod acks;
mod blocking;
mod budget;
mod cause;
mod cell;
mod dead_letter;
mod deadline;
mod dedupe;
mod driver;
mod emit;
#[doc(hidden)]
pub mod failpoints;
mod group;
mod header_bounds;
mod held;
mod hold;
mod key_hash;
mod lane;
mod manifest;
mod memory;
mod meters;
mod observed;
pub mod offset_map;
mod opened;
mod outbox;
mod parking;
mod plan;
mod ring;
mod routing;
mod service;
mod settings;
mod slots;
mod spans;
mod status;
mod transport;
mod wake;
mod work;

pub use dead_letter::{Dialects, dead_letter_header};
pub use group::{Group, Revoked};
pub use memory::MemoryBound;
#[doc(hidden)]
pub use parking::fact::MOST_TOKEN;
pub use parking::fact::parked_header;
#[doc(hidden)]
pub use parking::ledger::is_possible as claim_is_possible;
#[doc(hidden)]
pub use parking::print::of_fact as parked_print;
#[doc(hidden)]
pub use parking::weight::{of_fact as parked_weight, of_outgoing as weight_to_park};
pub use plan::{GroupPlan, HandlerPlan, TopicPlan, TypePlan};
pub use service::{Faults, Service};
pub use settings::Settings;
pub use spans::{Propagation, TraceContext};
pub use status::{HandlerStatus, HoldStatus, LaneStatus, ShutdownReport, Status, TroubleStatus};
pub use transport::{
    ParkedPosition, ParkedStart, Position, Publish, PublishError, Queue, QueueError, Record,
    Ticket, TopicPartition, Written,
};
