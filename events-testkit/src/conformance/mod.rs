//! The suite that every broker must pass: one scenario for each promise of the delivery rules.
//!
//! A cluster implements [`Cluster`], and [`conformance_tests!`](crate::conformance_tests) makes one test of each
//! scenario. Scenarios that need what a cluster cannot do say so and pass.
//!
//! # Examples
//!
//! The whole of `events-testkit/tests/conformance.rs`:
//!
//! ```standalone_crate
//! events_testkit::conformance_tests! {
//!     #[tokio::test(start_paused = true)]
//!     async { events_testkit::Broker::new() }
//! }
//! ```
//!
//! Events, handlers and services of the suite are in no binary's registry: they are listed apart.

mod cluster;
mod in_memory;
mod listed;
mod probe;
mod stage;
mod tests;

pub mod breaker;
pub mod breaker_lanes;
pub mod breaker_turns;
pub mod commits;
pub mod errors;
pub mod failure;
pub mod flow;
pub mod gaps;
pub mod header_bounds;
pub mod health;
pub mod input;
pub mod membership;
pub mod middleware;
pub mod order;
pub mod oversize;
pub mod panics;
pub mod panics_leaving;
pub mod parking;
pub mod parking_bearer;
pub mod parking_by_hand;
pub mod parking_flood;
pub mod parking_forged;
pub mod parking_hint;
pub mod parking_limits;
pub mod parking_made_anew;
pub mod parking_structured;
pub mod parking_survives;
pub mod parking_takeover;
pub mod parking_unordered;
pub mod pressure;
pub mod pressure_shared;
pub mod progress;
pub mod publishing;
pub mod record_times;
pub mod starts;
pub mod structured;

pub use cluster::{Capabilities, Cluster, Running, Verdict};
