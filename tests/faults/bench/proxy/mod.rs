//! A proxy before each broker's client listener. Brokers advertise the proxies' ports, so that nothing goes round them.

mod frame;
mod link;
mod rules;

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use tokio::runtime::Handle;

pub(crate) use rules::{Action, Direction, Rule, Rules, Shape, api};

/// Serves a broker's clients until the runtime of `handle` ends.
pub(crate) fn serve(
    handle: &Handle,
    listener: TcpListener,
    broker: usize,
    upstream: u16,
    rules: Arc<Rules>,
    seed: u64,
) -> Result<()> {
    listener.set_nonblocking(true)?;
    let _entered = handle.enter();
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let links = AtomicU64::new(0);
    handle.spawn(async move {
        loop {
            let Ok((client, _)) = listener.accept().await else {
                // The system is out of descriptors for a moment.
                tokio::task::yield_now().await;
                continue;
            };
            let link = link::Link {
                broker,
                rules: Arc::clone(&rules),
                seed: seed ^ (broker as u64) << 32 ^ links.fetch_add(1, Ordering::Relaxed),
            };
            let upstream = (Ipv4Addr::LOCALHOST, upstream);
            tokio::spawn(async move {
                // Where the broker is down the client sees its connection closed, as it would without a proxy.
                if let Ok(broker) = tokio::net::TcpStream::connect(upstream).await {
                    link.run(client, broker).await;
                }
            });
        }
    });
    Ok(())
}
