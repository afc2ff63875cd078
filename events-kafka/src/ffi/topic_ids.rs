//! The ids of topics: the safe client does not ask for them.

use std::collections::BTreeMap;
use std::time::Duration;

use events_runtime::offset_map::TopicId;
use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;

use super::admin::{Asked, listed, names, refusal, text};

/// Asks for the ids of topics in one request, and waits for the answer. A topic that does not
/// exist is left out, and so are all of a cluster without topic ids.
pub(crate) fn topic_ids<C: ClientContext>(
    client: &Client<C>,
    topics: &[&str],
    patience: Duration,
) -> Result<BTreeMap<String, TopicId>, RDKafkaErrorCode> {
    let names = names(topics)?;
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
    let asked = Asked::new(client, operation, patience);
    // SAFETY: the names end with zeros and outlive the collection, which is copied before it is
    // destroyed.
    unsafe {
        let all =
            sys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        sys::rd_kafka_DescribeTopics(asked.client, all, asked.options, asked.queue);
        sys::rd_kafka_TopicCollection_destroy(all);
    }
    let event = asked.answer(patience)?;
    let mut ids = BTreeMap::new();
    // SAFETY: the event is an answer to this request and owns all that is read here.
    unsafe {
        let result = sys::rd_kafka_event_DescribeTopics_result(event.0);
        let mut count = 0;
        let all = sys::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        for &topic in listed(all, count) {
            let name = text(sys::rd_kafka_TopicDescription_name(topic));
            match refusal(sys::rd_kafka_TopicDescription_error(topic)) {
                None => {}
                Some(RDKafkaErrorCode::UnknownTopicOrPartition) => continue,
                Some(code) => return Err(code),
            }
            let id = sys::rd_kafka_TopicDescription_topic_id(topic);
            if id.is_null() {
                continue;
            }
            let (high, low) = (
                sys::rd_kafka_Uuid_most_significant_bits(id),
                sys::rd_kafka_Uuid_least_significant_bits(id),
            );
            if (high, low) != (0, 0) {
                let both =
                    (u128::from(high.cast_unsigned()) << 64) | u128::from(low.cast_unsigned());
                ids.insert(name, both.to_be_bytes());
            }
        }
    }
    Ok(ids)
}
