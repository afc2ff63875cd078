//! `contracts lock`, `release` and `check` on workspaces of files, without a build.

mod against;
mod check;
mod lock;
mod release;
mod shop;
