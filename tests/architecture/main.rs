//! The rules of ARCHITECTURE.md that a machine can hold: who may depend on whom, how large a file may grow; and that each
//! failure of docs/failures.md has its test.

mod dependencies;
mod failures;
mod files;
mod sinks;
mod sources;
mod table;
