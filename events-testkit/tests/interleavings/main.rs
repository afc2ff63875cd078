//! A service under random interleavings of failures, kills, rebalances, duplicates, pauses, redrives, parked keys and lost
//! answers, and what must hold whatever happens (D1, D2, D3, D5, D6, D9).
//!
//! `FIRST` and `SEEDS` choose other scenarios than the first few.

mod checks;
mod log;
mod random;
mod scenario;
mod service;

use std::env;
use std::ops::Range;

use scenario::Scenario;
use tokio::runtime::Builder;

fn seeds() -> Range<u64> {
    let number = |name: &str| env::var(name).ok()?.parse().ok();
    let first = number("FIRST").unwrap_or(0);
    first..first + number("SEEDS").unwrap_or(10)
}

/// Plays scenarios, each by a paused clock of its own.
fn play(kills: bool) {
    for seed in seeds() {
        println!("seed {seed}");
        let mut clock = Builder::new_current_thread();
        let clock = clock.enable_time().start_paused(true).build().unwrap();
        clock.block_on(Scenario::new(seed, kills).play());
    }
}

#[test]
fn every_record_is_handled_in_order_whatever_happens() {
    play(true);
}

#[test]
fn nothing_is_handled_twice_unless_a_process_is_killed() {
    play(false);
}
