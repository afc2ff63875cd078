//! What a client may do, as the broker tells it (KIP-430): the safe client does not ask.

use std::collections::BTreeMap;
use std::slice;
use std::time::{Duration, Instant};

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;

use super::admin::{Asked, listed, names, refusal, text};
use super::groups::describe_each;

/// What the broker says of one topic or group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// The operations that are allowed, by the numbers of the protocol; none from a broker that does not tell.
    Allowed(Option<Vec<u32>>),
    Refused(RDKafkaErrorCode),
}

/// What the broker says by name.
pub(crate) type Answer = Result<BTreeMap<String, Told>, RDKafkaErrorCode>;

/// What this user may do with topics. Asking makes none of them. Waits for the answer.
pub(crate) fn authorized_on_topics<C: ClientContext>(
    client: &Client<C>,
    topics: &[&str],
    patience: Duration,
) -> Answer {
    let names = names(topics)?;
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
    let asked = Asked::new(client, operation, patience);
    // SAFETY: the names end with zeros and outlive the collection, which is copied before it is destroyed.
    unsafe {
        let all =
            sys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
        sys::rd_kafka_DescribeTopics(asked.client, all, asked.options, asked.queue);
        sys::rd_kafka_TopicCollection_destroy(all);
    }
    let event = asked.answer(patience)?;
    // SAFETY: the event is an answer to this request and owns all that is read here; a topic without an error has
    // operations, as many as is said, or null.
    unsafe {
        let result = sys::rd_kafka_event_DescribeTopics_result(event.0);
        let mut count = 0;
        let all = sys::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        let told = listed(all, count).iter().map(|&topic| {
            let name = text(sys::rd_kafka_TopicDescription_name(topic));
            let error = sys::rd_kafka_TopicDescription_error(topic);
            let mut count = 0;
            let operations =
                sys::rd_kafka_TopicDescription_authorized_operations(topic, &mut count);
            (name, Told::of(error, operations, count))
        });
        Ok(told.collect())
    }
}

/// What this user may do with consumer groups. Waits for the answers.
pub(crate) fn authorized_on_groups<C: ClientContext>(
    client: &Client<C>,
    groups: &[&str],
    patience: Duration,
) -> Answer {
    let mut all = BTreeMap::new();
    let until = Instant::now() + patience;
    describe_each(client, groups, until, |event| {
        // SAFETY: the event answers `DescribeConsumerGroups`; otherwise as for topics.
        unsafe {
            let result = sys::rd_kafka_event_DescribeConsumerGroups_result(event.0);
            let mut count = 0;
            let groups = sys::rd_kafka_DescribeConsumerGroups_result_groups(result, &mut count);
            all.extend(listed(groups, count).iter().map(|&group| {
                let name = text(sys::rd_kafka_ConsumerGroupDescription_group_id(group));
                let error = sys::rd_kafka_ConsumerGroupDescription_error(group);
                let mut count = 0;
                let operations =
                    sys::rd_kafka_ConsumerGroupDescription_authorized_operations(group, &mut count);
                (name, Told::of(error, operations, count))
            }));
        }
    })?;
    Ok(all)
}

impl Told {
    /// # Safety
    ///
    /// The error is null or valid; operations that are not null are as many as `count` says.
    unsafe fn of(
        error: *const sys::rd_kafka_error_t,
        operations: *const sys::rd_kafka_AclOperation_t,
        count: usize,
    ) -> Self {
        // SAFETY: the caller's promise.
        if let Some(code) = unsafe { refusal(error) } {
            return Self::Refused(code);
        }
        // A topic that allows nothing could not be described.
        if operations.is_null() || count == 0 {
            return Self::Allowed(None);
        }
        // SAFETY: the caller's promise; read as numbers, since a later client may know operations that the bindings do not.
        let operations = unsafe { slice::from_raw_parts(operations.cast::<u32>(), count) };
        Self::Allowed(Some(operations.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use rdkafka::ClientConfig;
    use rdkafka::mocking::MockCluster;
    use rdkafka::producer::{BaseProducer, Producer};

    use super::super::groups::{assigned, committed};
    use super::*;

    /// The client aborts the process if a request to a coordinator timed out within it before the first broker came.
    #[test]
    fn questions_that_were_given_up_do_no_harm_when_a_broker_comes() {
        let cluster = MockCluster::new(1).unwrap();
        cluster.broker_down(1).unwrap();
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("reconnect.backoff.max.ms", "100")
            .create()
            .unwrap();
        let client = producer.client();
        let moment = Duration::from_millis(100);
        let asked = authorized_on_groups(client, &["one"], moment);
        let reading = assigned(client, &["one"], Instant::now() + moment);
        let done = committed(client, &["one"], Instant::now() + moment);

        cluster.broker_up(1).unwrap();
        // The client sends requests in their order, so those before were sent once this one is answered.
        let later = authorized_on_groups(client, &["one"], Duration::from_secs(60));
        let given_up = Err(RDKafkaErrorCode::OperationTimedOut);
        assert_eq!(asked, given_up);
        assert_ne!(later, given_up);
        assert!(reading.is_empty() && done.is_empty());
    }
}
