//! Choreographed, event-driven services over Kafka: services publish facts, other services react.
//!
//! A service depends on this crate alone; it carries [`events_core`], the vocabulary. Crates that declare events for
//! several services depend on `events-core`, which needs no C compiler.
//!
//! ```no_run
//! use events_kafka::{event, handler, Result, Runtime};
//!
//! /// An order was accepted.
//! #[event(topic = "orders", key = order_id)]
//! pub struct OrderPlaced {
//!     pub order_id: String,
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
//!
//! #[tokio::main]
//! async fn main() -> Result<()> {
//!     Runtime::new("inventory").run_from_args().await
//! }
//! ```
//!
//! # Where things are
//!
//! | to | use |
//! |---|---|
//! | run a service | [`Runtime`]; several in one binary: [`Services`] |
//! | watch, drain it | [`Handle`], [`Status`], [`ShutdownReport`] |
//! | publish from outside of handlers | [`Producer`] |
//! | send commands from there, and wait for their replies | [`Sender`] |
//! | reach a cluster | [`ClientOptions`], or `KAFKA_*` variables |
//! | test against a cluster in the same process | [`Embedded`] |
//! | bound what runs | [`Settings`]; of one handler: the options of [`handler`](macro@handler) |
//!
//! # The command line
//!
//! [`Runtime::run_from_args`] gives a binary its commands: `run`, `handlers`, `topology`, `manifest`, `check`, `contracts`,
//! `publish`, `dead-letters` and `parked` (put right what was given up or waits), and for running services `status`, `lag`,
//! `pause`, `resume`; `--help` lists them. Without `KAFKA_BOOTSTRAP_SERVERS` a debug build runs on an embedded cluster that ends with the process; a
//! release build says what is missing.
//!
//! # Features
//!
//! | feature | brings | needs to build |
//! |---|---|---|
//! | `status` (default) | the endpoint that says how a service does, [`Runtime::status_address`]; nothing listens unless an address is given | |
//! | `zstd` (default) | topics compressed with zstd; gzip, snappy and lz4 are always there | |
//! | `chrono`, `decimal` | types of these crates in events | |
//! | `time` | `events_core::Timestamp` to and from that crate's, whose own types have no schema | |
//! | `ssl` | TLS, SASL SCRAM and OAUTHBEARER | OpenSSL's headers: `libssl-dev`, `pkg-config` |
//! | `ssl-vendored` | the same with an OpenSSL that is built along | `perl`, and some minutes |
//! | `sasl`, `gssapi` | TLS and Kerberos | `libssl-dev`, `libsasl2-dev`, `pkg-config` |
#![deny(unsafe_code)]

mod announce;
mod aside;
mod bar;
mod cli;
mod client_log;
mod committer;
mod embedded;
mod endpoint;
mod error;
mod ffi;
mod handle;
mod lag;
mod log_offsets;
mod manifests;
mod member;
mod membership;
mod options;
mod outage;
mod owners;
mod parked;
mod patience;
mod producer;
mod progress;
mod queue;
mod reader;
mod rebalance;
mod rights;
mod runtime;
mod services;
mod sink;
mod topic_watch;
mod topics;
mod unreadable;
mod view;

pub use embedded::Embedded;
pub use error::KafkaError;
pub use handle::Handle;
pub use options::{ClientOptions, GroupProtocol};
pub use producer::{
    Producer, ProducerBuilder, PublishAllFailed, PublishFailed, Receipt, RequestFailed, Sender,
};
pub use runtime::Runtime;
pub use services::Services;

#[cfg(feature = "status")]
pub use events_status::Access as StatusAccess;

#[doc(hidden)]
pub use events_core::__private;
#[doc(no_inline)]
pub use events_core::*;
#[doc(no_inline)]
pub use events_runtime::{
    Dialects, Faults, HandlerStatus, HoldStatus, LaneStatus, Propagation, PublishError, Settings,
    ShutdownReport, Status, TopicPartition, TraceContext, TroubleStatus, Written,
    dead_letter_header,
};

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
