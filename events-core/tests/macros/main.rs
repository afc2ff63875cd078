//! What the macros generate, as a user's crate sees it.

mod events;
mod fake;
mod handlers;
mod keys;
mod payloads;
mod policies;
mod variants;
