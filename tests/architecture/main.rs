//! The rules of ARCHITECTURE.md that a machine can hold: who may depend on whom, and how large a file may grow.

mod dependencies;
mod files;
mod sources;
mod table;
