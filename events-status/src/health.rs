//! Health is progress (D12): a lane that has work and does not advance is what is wrong, and nothing
//! else. A restart helps with few of the reasons, and liveness fails for those alone.

use std::collections::BTreeSet;

use events_runtime::{LaneStatus, Status};

/// Why a service is to be restarted, a line each.
pub(crate) fn needs_restart(status: &Status) -> Vec<String> {
    let lanes = status.lanes.iter();
    lanes
        .filter(|lane| lane.restart_helps)
        .filter_map(|lane| reason(status, lane))
        .collect()
}

/// Why a service is unhealthy where a restart does not help, a line each. A parked key and a young
/// hold are no reasons.
pub(crate) fn needs_operator(status: &Status) -> Vec<String> {
    let lanes = status.lanes.iter();
    let lanes = lanes
        .filter(|lane| !lane.restart_helps)
        .filter_map(|lane| reason(status, lane));
    let troubles = status.troubles.iter();
    let whole = troubles.map(|trouble| format!("{}: {trouble}", status.service));
    whole.chain(lanes).collect()
}

/// Handlers that somebody paused, a line each.
pub(crate) fn paused(status: &Status) -> BTreeSet<String> {
    let holds = status.lanes.iter().flat_map(|lane| &lane.holds);
    let paused = holds.filter(|hold| hold.reason == "paused");
    let line = |handler: &str| format!("{}: the handler {handler} is paused", status.service);
    paused.map(|hold| line(&hold.handler)).collect()
}

fn reason(status: &Status, lane: &LaneStatus) -> Option<String> {
    let reason = lane.unhealthy.as_ref()?;
    Some(format!(
        "{}: {} of group {}: {reason}",
        status.service, lane.partition, lane.group
    ))
}
