//! Health is progress (D12): a lane that has work and does not advance is what is wrong, and nothing else.

use events_runtime::Status;

/// Why a service is unhealthy, a line each. A parked key and a young hold are no reasons.
pub(crate) fn reasons(status: &Status) -> Vec<String> {
    let lanes = status.lanes.iter().filter_map(|lane| {
        let reason = lane.unhealthy.as_ref()?;
        Some(format!(
            "{}: {} of group {}: {reason}",
            status.service, lane.partition, lane.group
        ))
    });
    let troubles = status.troubles.iter();
    let whole = troubles.map(|trouble| format!("{}: {trouble}", status.service));
    let mut reasons: Vec<_> = whole.chain(lanes).collect();
    if reasons.is_empty() && !status.healthy {
        reasons.push(format!("{}: unhealthy", status.service));
    }
    reasons
}
