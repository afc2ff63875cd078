//! From where a partition is fetched, and whether it is.

use std::ffi::CString;

use rdkafka::bindings as sys;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;

use super::NativeQueue;

impl NativeQueue {
    /// Pauses the partition. The client drops what it has fetched and nobody has read.
    pub(crate) fn pause(&self) -> Result<(), RDKafkaErrorCode> {
        self.call(sys::rd_kafka_pause_partitions)
    }

    /// Resumes the partition behind the last record that was read.
    pub(crate) fn resume(&self) -> Result<(), RDKafkaErrorCode> {
        self.call(sys::rd_kafka_resume_partitions)
    }

    /// Fetches on from an offset, without waiting. What the client has fetched is dropped.
    pub(crate) fn seek(&self, offset: i64) -> Result<(), RDKafkaErrorCode> {
        self.seek_within(offset, -1, 0)
    }

    /// The same, once the leader has told that the log holds all that lies before `offset` as it was appended up to the leader
    /// epoch `epoch`. Else an error comes in the place of records. Waits until the client has begun, and hands out nothing any
    /// more that it had fetched before.
    pub(crate) fn seek_validated(&self, offset: i64, epoch: i32) -> Result<(), RDKafkaErrorCode> {
        self.seek_within(offset, epoch, 5_000)
    }

    fn seek_within(&self, offset: i64, epoch: i32, millis: i32) -> Result<(), RDKafkaErrorCode> {
        let topic =
            CString::new(self.topic.as_str()).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
        // SAFETY: as in `call`; the error is null or belongs to this function.
        let code = unsafe {
            let list = sys::rd_kafka_topic_partition_list_new(1);
            let element =
                sys::rd_kafka_topic_partition_list_add(list, topic.as_ptr(), self.partition);
            (*element).offset = offset;
            sys::rd_kafka_topic_partition_set_leader_epoch(element, epoch);
            let error = sys::rd_kafka_seek_partitions(self.client, list, millis);
            let code = match error.is_null() {
                true => (*element).err,
                false => sys::rd_kafka_error_code(error),
            };
            sys::rd_kafka_error_destroy(error);
            sys::rd_kafka_topic_partition_list_destroy(list);
            code
        };
        match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
            code => Err(code.into()),
        }
    }

    /// The offset behind the last message that was handed out, or behind later ones that are read and are no records; none
    /// before the first. A message that is an error counts as a record at the offset that it names. Beside it the leader epoch
    /// of what lies before it, -1 if that is not known.
    pub(crate) fn position(&self) -> Option<(i64, i32)> {
        let topic = CString::new(self.topic.as_str()).ok()?;
        // SAFETY: as in `call`.
        let (offset, epoch) = unsafe {
            let list = sys::rd_kafka_topic_partition_list_new(1);
            let element =
                sys::rd_kafka_topic_partition_list_add(list, topic.as_ptr(), self.partition);
            let code = sys::rd_kafka_position(self.client, list);
            let offset = (*element).offset;
            let epoch = sys::rd_kafka_topic_partition_get_leader_epoch(element);
            sys::rd_kafka_topic_partition_list_destroy(list);
            match code {
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => (offset, epoch),
                _ => (-1, -1),
            }
        };
        (offset >= 0).then_some((offset, epoch))
    }

    /// Whether no message waits in the queue.
    pub(crate) fn is_empty(&self) -> bool {
        // SAFETY: the queue is valid.
        unsafe { sys::rd_kafka_queue_length(self.queue) == 0 }
    }

    fn call(
        &self,
        call: unsafe extern "C" fn(
            *mut sys::rd_kafka_t,
            *mut sys::rd_kafka_topic_partition_list_t,
        ) -> RDKafkaRespErr,
    ) -> Result<(), RDKafkaErrorCode> {
        let topic =
            CString::new(self.topic.as_str()).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
        // SAFETY: the client lives as long as the queue; the list has one element, and is destroyed after its last use.
        let code = unsafe {
            let list = sys::rd_kafka_topic_partition_list_new(1);
            let element =
                sys::rd_kafka_topic_partition_list_add(list, topic.as_ptr(), self.partition);
            let mut code = call(self.client, list);
            if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                code = (*element).err;
            }
            sys::rd_kafka_topic_partition_list_destroy(list);
            code
        };
        match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
            code => Err(code.into()),
        }
    }
}
