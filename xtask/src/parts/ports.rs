//! Ports for servers that may be restarted.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};

/// Below Linux's ephemeral range, which begins at 32768: a broker restarted on a port of that range can find it taken
/// by one of its own old connections.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// So many random draws fail only on a machine with hardly a free port.
const DRAWS: usize = 1_000;

/// `count` different ports that nobody listens on.
///
/// They are drawn at random, so that two runs at the same time rarely meet; all are held open until the last is found.
pub fn free(count: usize) -> Result<Vec<u16>> {
    let random = RandomState::new();
    let mut held = Vec::new();
    for draw in 0..DRAWS {
        if held.len() == count {
            break;
        }
        let offset = random.hash_one(draw) % u64::from(RANGE.end - RANGE.start);
        let port = RANGE.start + u16::try_from(offset).expect("the range is narrower than a u16");
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            held.push((port, listener));
        }
    }
    if held.len() < count {
        bail!("found no {count} free ports in {RANGE:?} on loopback: stop what listens there");
    }
    Ok(held.into_iter().map(|(port, _)| port).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_distinct_and_below_the_ephemeral_range() {
        let mut ports = free(6).unwrap();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 6);
        assert!(ports.iter().all(|port| RANGE.contains(port)));
    }
}
