//! Commands, from the edge to their owner and back.

#[path = "../support/mod.rs"]
mod support;

mod depot;
mod owners;
mod requests;
mod shown;
