//! What the macros generate, as a user's crate sees it.

mod commands;
mod described;
mod events;
mod failures;
mod fake;
mod handlers;
mod keys;
mod linted;
mod open;
mod payloads;
mod policies;
mod variants;
mod versions;
