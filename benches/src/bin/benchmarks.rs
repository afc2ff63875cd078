//! The benchmarks, on the C library's allocator.

use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    benchmarks::run()
}
