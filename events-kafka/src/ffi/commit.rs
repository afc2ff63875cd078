//! Commits whose answer arrives.

use std::ffi::CStr;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::{ptr, slice};

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

/// Where the answers to a member's commits come, apart from what its polling thread serves.
pub(crate) struct CommitQueue<C: ConsumerContext + 'static> {
    queue: *mut sys::rd_kafka_queue_t,
    /// Stable address for the callback; woken when the queue was empty and is not any more.
    waker: Box<Mutex<Option<Waker>>>,
    /// The queue must go before its client does.
    consumer: Arc<BaseConsumer<C>>,
}

// SAFETY: librdkafka's queues may be used from any thread; the waker is behind a lock.
unsafe impl<C: ConsumerContext + 'static> Send for CommitQueue<C> {}
// SAFETY: as above.
unsafe impl<C: ConsumerContext + 'static> Sync for CommitQueue<C> {}

/// What the coordinator answered, and the offsets with what it said of each.
pub(crate) type Answered = (KafkaResult<()>, TopicPartitionList);

impl<C: ConsumerContext + 'static> CommitQueue<C> {
    pub(crate) fn new(consumer: &Arc<BaseConsumer<C>>) -> Self {
        let waker = Box::new(Mutex::new(None));
        let opaque = ptr::from_ref::<Mutex<Option<Waker>>>(&waker)
            .cast_mut()
            .cast();
        // SAFETY: the client lives as long as `consumer`, of which a reference is kept; `opaque` outlives the callback,
        // which `drop` switches off.
        let queue = unsafe {
            let queue = sys::rd_kafka_queue_new(consumer.client().native_ptr());
            sys::rd_kafka_queue_cb_event_enable(queue, Some(super::wake), opaque);
            queue
        };
        Self {
            queue,
            waker,
            consumer: Arc::clone(consumer),
        }
    }

    /// Commits offsets without waiting. [`next`](Self::next) has the answer.
    pub(crate) fn commit(&self, offsets: &TopicPartitionList) -> KafkaResult<()> {
        let client = self.consumer.client().native_ptr();
        // SAFETY: all are valid; the call copies the offsets and takes a reference to the queue for its answer.
        let code = unsafe {
            sys::rd_kafka_commit_queue(client, offsets.ptr(), self.queue, None, ptr::null_mut())
        };
        match code {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
            code => Err(KafkaError::ConsumerCommit(code.into())),
        }
    }

    /// Waits for the answer to one of the commits.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub(crate) async fn next(&self) -> Answered {
        poll_fn(|cx| {
            // Registered first: an answer that arrives from now on wakes the task.
            *self.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
            self.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    fn take(&self) -> Option<Answered> {
        // SAFETY: the queue is valid; the event belongs to this function, and its offsets are copied before it goes.
        unsafe {
            let event = sys::rd_kafka_queue_poll(self.queue, 0);
            if event.is_null() {
                return None;
            }
            let result = match sys::rd_kafka_event_error(event) {
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
                code => Err(KafkaError::ConsumerCommit(code.into())),
            };
            let offsets = copied(sys::rd_kafka_event_topic_partition_list(event));
            sys::rd_kafka_event_destroy(event);
            Some((result, offsets))
        }
    }
}

impl<C: ConsumerContext + 'static> Drop for CommitQueue<C> {
    fn drop(&mut self) {
        // SAFETY: the queue is valid; after the first call the callback does not run any more.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(self.queue, None, ptr::null_mut());
            sys::rd_kafka_queue_destroy(self.queue);
        }
    }
}

/// With the errors, which the safe list cannot be given.
///
/// # Safety
///
/// `list` is null or valid.
unsafe fn copied(list: *const sys::rd_kafka_topic_partition_list_t) -> TopicPartitionList {
    if list.is_null() {
        return TopicPartitionList::new();
    }
    // SAFETY: the list is valid, with so many elements, and so are their names; metadata is as long as it says.
    unsafe {
        let count = usize::try_from((*list).cnt).unwrap_or(0);
        let copy = TopicPartitionList::with_capacity(count);
        for index in 0..count {
            let from = (*list).elems.add(index);
            let into = sys::rd_kafka_topic_partition_list_add(
                copy.ptr(),
                (*from).topic,
                (*from).partition,
            );
            (*into).offset = (*from).offset;
            (*into).err = (*from).err;
            if (*from).metadata.is_null() {
                continue;
            }
            let metadata = slice::from_raw_parts((*from).metadata.cast(), (*from).metadata_size);
            let topic = CStr::from_ptr((*from).topic).to_string_lossy();
            if let Some(mut element) = copy.find_partition(&topic, (*from).partition) {
                element.set_metadata(String::from_utf8_lossy(metadata));
            }
        }
        copy
    }
}
