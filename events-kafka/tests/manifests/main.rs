//! What services publish of themselves, and what comes of it: on a real cluster, since the embedded one has no topic of
//! manifests.

#[path = "../support/mod.rs"]
mod support;

mod command_line;
mod deployed;
mod shop;
