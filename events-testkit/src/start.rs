//! Where a lane starts (D14).

use events_core::Start;
use events_runtime::TopicPartition;

use crate::state::State;

/// Where to start, and with what metadata; or why the partition is held.
pub(crate) fn resolve(
    state: &mut State,
    group: &str,
    start: Start,
    partition: &TopicPartition,
) -> Result<(i64, String), String> {
    let Some(offsets) = state.offsets(partition) else {
        return Err(format!("{partition} does not exist"));
    };
    let committed = &state.group(group).committed;
    if let Some(position) = committed.get(partition) {
        if (offsets.start..=offsets.end).contains(&position.watermark) {
            return Ok((position.watermark, position.metadata.clone()));
        }
        return Err(format!(
            "the committed offset {} is out of range, the log holds {offsets:?}: retention overtook the group, or the \
             topic was made anew; commit an offset within the range to go on",
            position.watermark
        ));
    }
    // The group knows the topic, so this partition has appeared later: its records are all new.
    let appeared_later = committed.keys().any(|known| known.topic == partition.topic);
    let offset = match start {
        _ if appeared_later => offsets.start,
        Start::Latest => offsets.end,
        Start::Time(time) => state
            .log_mut(partition)
            .map_or(offsets.start, |log| log.at_time(time)),
        _ => offsets.start,
    };
    Ok((offset, String::new()))
}
