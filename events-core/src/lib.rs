//! The vocabulary of choreographed services: events, handlers, emissions.
//!
//! A contract crate that several services share depends on this crate alone: it needs no broker and no C compiler.
//!
//! ```
//! use events_core::{event, handler, Result};
//!
//! /// An order was accepted.
//! #[event(topic = "orders", key = order_id)]
//! pub struct OrderPlaced {
//!     pub order_id: String,
//!     pub amount_cents: u64,
//! }
//!
//! /// Stock was set aside for an order.
//! #[event(topic = "inventory", key = order_id)]
//! pub struct StockReserved {
//!     pub order_id: String,
//! }
//!
//! #[handler]
//! async fn reserve_stock(order: OrderPlaced) -> Result<StockReserved> {
//!     Ok(StockReserved { order_id: order.order_id }) // returning it publishes it
//! }
//! ```

// Generated code names the core by this name, here too.
#[allow(
    unused_extern_crates,
    reason = "only tests in this crate use its macros"
)]
extern crate self as events_core;

mod cancellation;
mod check;
mod codec;
mod context;
mod delivery;
mod emission;
mod envelope;
mod error;
mod event;
mod extract;
mod generated;
mod graph;
mod handler;
mod identity;
mod input;
mod key;
mod middleware;
mod policy;
mod publisher;
mod record;
mod registry;
mod run;
mod slot;
mod wire;

pub use cancellation::Cancellation;
pub use check::{Fault, check};
pub use codec::{Codec, Json};
pub use context::{ServiceContext, State};
pub use delivery::{AttemptContext, Delivery};
pub use emission::{Emission, Emissions, Emitted};
pub use envelope::{Meta, header};
pub use error::{Class, Classify, DecodeError, Error, Result, Terminal, Unavailable, error_code};
pub use event::{EncodedEvent, Event, EventDescriptor, decode, encode};
pub use extract::{Extract, Needs};
pub use graph::{Edge, Graph};
pub use handler::HandlerDescriptor;
pub use identity::{EmissionIdentity, edge_id, stable_hash};
pub use input::Input;
pub use key::KeyPart;
pub use middleware::{Attempt, Middleware};
pub use policy::{Exhausted, HandlerOptions, Ordering, Park, Parking, Retry, Start};
pub use publisher::Publisher;
pub use record::{Outgoing, RecordView, Topic};
pub use registry::{Registry, ServiceClaim};
pub use wire::{Envelope, time_now};

#[doc(inline)]
pub use events_macros::{Emission, OneOf, event, handler, payload};

/// For engines: what drives the generated loops.
pub mod engine {
    pub use crate::slot::{BlockingJob, Panicked, Slot, SlotDriver, SlotFuture};
}

/// For generated code only.
#[doc(hidden)]
pub mod __private {
    pub use crate::Result as Outcome;
    pub use crate::a_handler_is_a_free_function_outside_of_impl;
    pub use crate::event::Declared;
    pub use crate::generated::StdResult as Result;
    pub use crate::generated::*;
    pub use crate::registry::{EventRegistration, HandlerRegistration};
    pub use crate::{
        Delivery, Emission, Emissions, Event, EventDescriptor, Exhausted, Extract,
        HandlerDescriptor, HandlerOptions, Input, Json, KeyPart, Ordering, Park, Parking, Retry,
        Start,
    };
    pub use {inventory, schemars, serde};
}

mod link;
