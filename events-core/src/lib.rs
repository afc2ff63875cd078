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
mod command;
pub mod company;
mod contained;
mod context;
pub mod contract;
mod delivery;
mod emission;
mod envelope;
mod error;
pub mod escape;
mod event;
mod extract;
mod generated;
mod graph;
mod handler;
mod identity;
mod input;
mod key;
pub mod manifest;
mod middleware;
mod policy;
mod publisher;
mod record;
mod registry;
mod run;
mod slot;
mod structured;
#[cfg(feature = "time")]
mod timestamp;
mod upcast;
mod wire;

pub use cancellation::Cancellation;
pub use check::{Fault, check};
pub use codec::{Codec, Json};
pub use command::{Command, Request};
pub use context::{ServiceContext, State};
pub use delivery::{AttemptContext, Delivery};
pub use emission::{Emission, Emissions, Emitted};
pub use envelope::{Meta, header};
pub use error::{
    Class, Classify, DecodeError, EnvelopeError, Error, Result, Terminal, Unavailable, error_code,
};
pub use event::{EncodedEvent, Event, EventDescriptor, Fact, decode, encode};
pub use extract::{Extract, Needs};
pub use graph::{Edge, Graph};
pub use handler::{HandlerDescriptor, NamedHandler};
pub use identity::{EmissionIdentity, edge_id, stable_hash};
pub use input::Input;
pub use key::KeyPart;
pub use middleware::{Attempt, Middleware};
pub use policy::{Exhausted, HandlerOptions, Ordering, Park, Parking, Retry, Start};
pub use publisher::Publisher;
pub use record::{Outgoing, RecordView, Topic};
pub use registry::{Registry, ServiceClaim};
pub use structured::{is_structured, to_binary_mode};
#[cfg(feature = "time")]
pub use timestamp::Timestamp;
pub use upcast::{Upcaster, is_upcast, to_current};
pub use wire::{Envelope, time_now};

#[doc(inline)]
pub use events_macros::{Emission, OneOf, command, event, handler, payload, upcast};

/// For engines: what drives the generated loops.
pub mod engine {
    pub use crate::contained::{Contained, discard};
    pub use crate::envelope::number;
    pub use crate::error::causes;
    pub use crate::slot::{BlockingJob, Panicked, Slot, SlotDriver, SlotFuture};
    pub use crate::structured::resembles_structured;
}

/// For generated code only.
#[doc(hidden)]
pub mod __private {
    pub use crate::Result as Outcome;
    pub use crate::a_handler_is_a_free_function_outside_of_impl;
    pub use crate::contract::DeclaredField;
    pub use crate::event::Declared;
    pub use crate::generated::StdResult as Result;
    pub use crate::generated::*;
    pub use crate::handler::function_type;
    pub use crate::registry::{EventRegistration, HandlerRegistration};
    pub use crate::upcast::{UpcasterRegistration, apply as apply_upcast};
    pub use crate::{
        Command, Delivery, Emission, Emissions, Event, EventDescriptor, Exhausted, Extract, Fact,
        HandlerDescriptor, HandlerOptions, Input, Json, KeyPart, Ordering, Park, Parking, Request,
        Retry, Start, Upcaster,
    };
    pub use {inventory, schemars, serde};
}

mod link;

/// The examples of the page compile.
#[cfg(doctest)]
#[doc = include_str!("../../docs/contracts.md")]
struct Contracts;
