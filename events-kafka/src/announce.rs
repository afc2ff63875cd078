//! What a service says of itself when it has started.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use events_runtime::GroupPlan;

use crate::embedded::LIMITS;
use crate::options::ClientOptions;

/// The start line.
pub(crate) fn announce(service: &str, plans: &[Arc<GroupPlan>], client: &ClientOptions) {
    let groups: Vec<_> = plans.iter().map(|plan| plan.group.as_str()).collect();
    let mut topics: Vec<_> = plans
        .iter()
        .flat_map(|plan| plan.topics.keys())
        .map(String::as_str)
        .collect();
    topics.sort_unstable();
    topics.dedup();
    let handlers: usize = plans.iter().map(|plan| plan.handlers.len()).sum();
    let (groups, topics, address) = (
        groups.join(","),
        topics.join(","),
        client.address().unwrap_or_default(),
    );
    if client.is_embedded() {
        // All services of a process share it, so its limits are said once.
        static SAID: AtomicBool = AtomicBool::new(false);
        let on = if SAID.swap(true, Ordering::Relaxed) {
            "embedded cluster"
        } else {
            LIMITS
        };
        tracing::info!(
            service,
            groups,
            topics,
            handlers,
            address,
            "started on the {on}"
        );
    } else {
        tracing::info!(service, groups, topics, handlers, address, "started");
    }
}
