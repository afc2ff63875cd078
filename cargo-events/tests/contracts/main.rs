//! `cargo events contracts` and what the compiler and the generated test say, on crates that are really built.

mod compiled;
mod fixture;
mod generated;
mod selected;
mod walk;
