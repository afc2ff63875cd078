//! What the project's tasks share with its fault bench: real servers without containers, and children that end with
//! whoever started them.

#![forbid(unsafe_code)]

pub mod output;
pub mod parts;
pub mod process;
pub mod progress;
pub mod workspace;
