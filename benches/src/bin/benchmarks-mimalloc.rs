//! The same on mimalloc: a measured process whose job asks for it.

use std::process::ExitCode;

// Also under the C library, so under the Kafka client.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<ExitCode> {
    benchmarks::run()
}
