//! Consumer groups, and what they read: the safe client does not ask.

use std::collections::{BTreeMap, BTreeSet};
use std::ptr;
use std::time::{Duration, Instant};

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;

use super::admin::{Asked, Event, listed, names, refusal, text};

/// Groups asked for at once.
const AT_ONCE: usize = 100;

/// What the cluster says of each group that answered.
pub(crate) type PerGroup<T> = BTreeMap<String, Result<T, RDKafkaErrorCode>>;

/// The groups that this user may see, and whether a broker did not answer for its own. Waits for the answer.
pub(crate) fn groups<C: ClientContext>(
    client: &Client<C>,
    patience: Duration,
) -> Result<(Vec<String>, Option<RDKafkaErrorCode>), RDKafkaErrorCode> {
    let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS;
    let asked = Asked::new(client, operation, patience);
    // SAFETY: all three are valid.
    unsafe { sys::rd_kafka_ListConsumerGroups(asked.client, asked.options, asked.queue) };
    let event = asked.answer(patience)?;
    // SAFETY: the event is an answer to this request and owns all that is read here.
    unsafe {
        let result = sys::rd_kafka_event_ListConsumerGroups_result(event.0);
        let mut count = 0;
        let errors = sys::rd_kafka_ListConsumerGroups_result_errors(result, &mut count);
        let failed = listed(errors.cast(), count)
            .iter()
            .find_map(|&error| refusal(error));
        let all = sys::rd_kafka_ListConsumerGroups_result_valid(result, &mut count);
        let found = listed(all, count)
            .iter()
            .map(|&group| text(sys::rd_kafka_ConsumerGroupListing_group_id(group)));
        Ok((found.collect(), failed))
    }
}

/// The topics that members of these groups are assigned, with how many members. A group without an answer in time is left
/// out.
pub(crate) fn assigned<C: ClientContext>(
    client: &Client<C>,
    groups: &[&str],
    until: Instant,
) -> PerGroup<BTreeMap<String, usize>> {
    let mut found = BTreeMap::new();
    for some in groups.chunks(AT_ONCE) {
        if left(until).is_none() {
            break;
        }
        // SAFETY: each event is an answer to such a request.
        let describe = |event: &Event| found.extend(unsafe { described(event) });
        // What was not answered is left out.
        let _ = describe_each(client, some, until, describe);
    }
    found
}

/// Describes groups, each by a request of its own, so that one whose coordinator is away keeps no other back. Hands out what
/// comes in time.
///
/// # Errors
///
/// That of the first group that was not described.
pub(super) fn describe_each<C: ClientContext>(
    client: &Client<C>,
    groups: &[&str],
    until: Instant,
    mut take: impl FnMut(&Event),
) -> Result<(), RDKafkaErrorCode> {
    let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
    let names = names(groups)?;
    let asked = Asked::of_coordinators(client, operation);
    for name in &names {
        let mut one = [name.as_ptr()];
        // SAFETY: the name ends with a zero and outlives the call, which copies it.
        unsafe {
            let (one, count) = (one.as_mut_ptr(), one.len());
            sys::rd_kafka_DescribeConsumerGroups(
                asked.client,
                one,
                count,
                asked.options,
                asked.queue,
            );
        }
    }
    let mut outcome = Ok(());
    for _ in &names {
        let Some(patience) = left(until) else {
            return outcome.and(Err(RDKafkaErrorCode::OperationTimedOut));
        };
        match asked.answer(patience) {
            Ok(event) => take(&event),
            Err(code) => outcome = outcome.and(Err(code)),
        }
    }
    outcome
}

/// The topics for which these groups have committed offsets. A group without an answer in time is left out.
pub(crate) fn committed<C: ClientContext>(
    client: &Client<C>,
    groups: &[&str],
    until: Instant,
) -> PerGroup<BTreeSet<String>> {
    let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS;
    let mut found = BTreeMap::new();
    for some in groups.chunks(AT_ONCE) {
        if left(until).is_none() {
            break;
        }
        let Ok(names) = names(some) else { continue };
        let asked = Asked::of_coordinators(client, operation);
        for name in &names {
            // SAFETY: the name ends with a zero; the request is copied before it is destroyed. No list asks for all topics.
            unsafe {
                let mut of = sys::rd_kafka_ListConsumerGroupOffsets_new(name.as_ptr(), ptr::null());
                sys::rd_kafka_ListConsumerGroupOffsets(
                    asked.client,
                    &mut of,
                    1,
                    asked.options,
                    asked.queue,
                );
                sys::rd_kafka_ListConsumerGroupOffsets_destroy(of);
            }
        }
        // Each comes with its group's name, or fails as a whole and without one.
        for _ in &names {
            let Some(patience) = left(until) else { break };
            if let Ok(event) = asked.answer(patience) {
                // SAFETY: the event is an answer to one of these requests.
                found.extend(unsafe { offsets(&event) });
            }
        }
    }
    found
}

fn left(until: Instant) -> Option<Duration> {
    until
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
}

/// # Safety
///
/// The event answers `DescribeConsumerGroups`.
unsafe fn described(event: &Event) -> PerGroup<BTreeMap<String, usize>> {
    // SAFETY: the event owns all that is read here; there are as many members as is said.
    unsafe {
        let result = sys::rd_kafka_event_DescribeConsumerGroups_result(event.0);
        let mut count = 0;
        let all = sys::rd_kafka_DescribeConsumerGroups_result_groups(result, &mut count);
        let described = listed(all, count).iter().map(|&group| {
            let name = text(sys::rd_kafka_ConsumerGroupDescription_group_id(group));
            if let Some(code) = refusal(sys::rd_kafka_ConsumerGroupDescription_error(group)) {
                return (name, Err(code));
            }
            let mut topics = BTreeMap::new();
            for index in 0..sys::rd_kafka_ConsumerGroupDescription_member_count(group) {
                let member = sys::rd_kafka_ConsumerGroupDescription_member(group, index);
                let assignment = sys::rd_kafka_MemberDescription_assignment(member);
                if assignment.is_null() {
                    continue;
                }
                let list = sys::rd_kafka_MemberAssignment_partitions(assignment);
                let own: BTreeSet<_> = partitions(list).map(|(topic, _)| topic).collect();
                for topic in own {
                    *topics.entry(topic).or_default() += 1;
                }
            }
            (name, Ok(topics))
        });
        described.collect()
    }
}

/// # Safety
///
/// The event answers `ListConsumerGroupOffsets`.
unsafe fn offsets(event: &Event) -> PerGroup<BTreeSet<String>> {
    // SAFETY: the event owns all that is read here.
    unsafe {
        let result = sys::rd_kafka_event_ListConsumerGroupOffsets_result(event.0);
        let mut count = 0;
        let all = sys::rd_kafka_ListConsumerGroupOffsets_result_groups(result, &mut count);
        let answered = listed(all, count).iter().map(|&group| {
            let name = text(sys::rd_kafka_group_result_name(group));
            if let Some(code) = refusal(sys::rd_kafka_group_result_error(group)) {
                return (name, Err(code));
            }
            let list = sys::rd_kafka_group_result_partitions(group);
            let committed = partitions(list).filter(|(_, offset)| *offset >= 0);
            (name, Ok(committed.map(|(topic, _)| topic).collect()))
        });
        answered.collect()
    }
}

/// Topic and offset of each element.
///
/// # Safety
///
/// The list is null, or valid for as long as the iterator is used.
unsafe fn partitions(
    list: *const sys::rd_kafka_topic_partition_list_t,
) -> impl Iterator<Item = (String, i64)> {
    // SAFETY: the caller's promise; the list owns `cnt` elements.
    let elements = unsafe {
        match list.as_ref() {
            Some(list) if list.cnt > 0 => {
                let count = usize::try_from(list.cnt).unwrap_or(0);
                std::slice::from_raw_parts(list.elems, count)
            }
            _ => &[],
        }
    };
    elements.iter().map(|element| {
        // SAFETY: topics end with zeros.
        (unsafe { text(element.topic) }, element.offset)
    })
}
