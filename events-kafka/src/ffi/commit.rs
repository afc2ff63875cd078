//! Commits whose answer arrives.

use std::ptr;

use rdkafka::bindings as sys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

/// Commits offsets without waiting. The answer comes to the context's `commit_callback` when the consumer is polled; that of
/// the safe client's own commit without waiting comes to nobody.
pub(crate) fn commit<C: ConsumerContext>(
    consumer: &BaseConsumer<C>,
    offsets: &TopicPartitionList,
) -> KafkaResult<()> {
    let client = consumer.client().native_ptr();
    // SAFETY: `client` lives as long as `consumer`.
    let queue = unsafe { sys::rd_kafka_queue_get_consumer(client) };
    if queue.is_null() {
        let code = RDKafkaRespErr::RD_KAFKA_RESP_ERR__UNKNOWN_GROUP;
        return Err(KafkaError::ConsumerCommit(code.into()));
    }
    // SAFETY: all are valid; the call copies the offsets and takes a reference to the queue for its answer. Ours is given back.
    let code = unsafe {
        let code = sys::rd_kafka_commit_queue(client, offsets.ptr(), queue, None, ptr::null_mut());
        sys::rd_kafka_queue_destroy(queue);
        code
    };
    match code {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        code => Err(KafkaError::ConsumerCommit(code.into())),
    }
}
