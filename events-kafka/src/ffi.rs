//! The only unsafe code: what the safe client lacks.
//!
//! Partition queues are read in batches (one call for hundreds of records, no event object for each), header names need
//! not be UTF-8 (the safe client panics on others), committed metadata neither, records go out without an allocation for each
//! name, a commit that nobody waits for is answered, the broker can be asked what a user may do and which groups read which
//! topics, and the embedded cluster can be told not to wait before a group's first rebalance.
#![expect(
    unsafe_code,
    reason = "calls into librdkafka that the safe client does not offer"
)]

mod admin;
mod answers;
mod authorized;
mod commit;
mod groups;
mod leader_epochs;
mod produce;
mod rest;
mod topic_ids;
#[cfg(test)]
mod tracked;

use std::any::Any;
use std::ffi::{CStr, CString, c_void};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::Waker;
use std::{ptr, slice};

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::RDKafkaRespErr;

pub(crate) use answers::Answers;
pub(crate) use authorized::{Answer, Told, authorized_on_groups, authorized_on_topics};
pub(crate) use commit::{CommitQueue, commit};
pub(crate) use groups::{PerGroup, assigned, committed, groups};
pub(crate) use leader_epochs::{leader_epochs, set_last_leader_epoch};
pub(crate) use produce::{Sent, produce, produce_copy};
pub(crate) use topic_ids::topic_ids;
#[cfg(test)]
pub(crate) use tracked::{track_requests, tracked_requests};

/// The queue of one partition, split from its consumer.
pub(crate) struct NativeQueue {
    queue: *mut sys::rd_kafka_queue_t,
    client: *mut sys::rd_kafka_t,
    topic: String,
    partition: i32,
    /// Stable address for the callback; woken when the queue was empty and is not any more.
    waker: Box<Mutex<Option<Waker>>>,
    /// Messages and queues must go before their consumer does.
    _consumer: Arc<dyn Any + Send + Sync>,
}

// SAFETY: librdkafka's queues may be used from any thread; the waker is behind a lock.
unsafe impl Send for NativeQueue {}
// SAFETY: as above.
unsafe impl Sync for NativeQueue {}

/// What a queue calls when it was empty and is not any more.
unsafe extern "C" fn wake(_: *mut sys::rd_kafka_t, opaque: *mut c_void) {
    // SAFETY: `opaque` is the boxed waker of a queue whose callback is switched off before the box is dropped.
    let waker = unsafe { &*opaque.cast::<Mutex<Option<Waker>>>() };
    let waker = waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl NativeQueue {
    /// Splits the queue of a partition from its consumer; must happen before the partition is assigned, or early records
    /// land on the main queue.
    pub(crate) fn split<C: ConsumerContext + 'static>(
        consumer: &Arc<BaseConsumer<C>>,
        topic: &str,
        partition: i32,
    ) -> Option<Self> {
        let name = CString::new(topic).ok()?;
        let client = consumer.client().native_ptr();
        // SAFETY: `client` lives as long as `consumer`, of which the queue keeps a reference; `name` ends with a zero.
        let queue = unsafe { sys::rd_kafka_queue_get_partition(client, name.as_ptr(), partition) };
        if queue.is_null() {
            return None;
        }
        let waker = Box::new(Mutex::new(None));
        let opaque = ptr::from_ref::<Mutex<Option<Waker>>>(&waker)
            .cast_mut()
            .cast();
        // SAFETY: the queue is valid; `opaque` outlives the callback, which `drop` switches off.
        unsafe {
            sys::rd_kafka_queue_forward(queue, ptr::null_mut());
            sys::rd_kafka_queue_cb_event_enable(queue, Some(wake), opaque);
        }
        Some(Self {
            queue,
            client,
            topic: topic.to_owned(),
            partition,
            waker,
            _consumer: Arc::clone(consumer) as _,
        })
    }

    pub(crate) fn topic(&self) -> &str {
        &self.topic
    }

    pub(crate) fn partition(&self) -> i32 {
        self.partition
    }

    pub(crate) fn register(&self, waker: &Waker) {
        let mut cell = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *cell {
            Some(known) => known.clone_from(waker),
            None => *cell = Some(waker.clone()),
        }
    }
}

/// Most messages moved by one call.
const BATCH: usize = 512;

/// Moves at most `max` messages out of the queue, without waiting.
pub(crate) fn consume(queue: &Arc<NativeQueue>, max: usize, mut take: impl FnMut(Message)) {
    let mut messages = [ptr::null_mut(); BATCH];
    // SAFETY: there is room for that many pointers; the call says how many it wrote, -1 for an error.
    let count = unsafe {
        sys::rd_kafka_consume_batch_queue(queue.queue, 0, messages.as_mut_ptr(), max.min(BATCH))
    };
    let count = usize::try_from(count).unwrap_or(0).min(BATCH);
    for message in messages.into_iter().take(count) {
        take(Message {
            message,
            headers: OnceLock::new(),
            queue: Arc::clone(queue),
        });
    }
}

impl Drop for NativeQueue {
    fn drop(&mut self) {
        // SAFETY: the queue is valid; after the first call the callback does not run any more.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(self.queue, None, ptr::null_mut());
            sys::rd_kafka_queue_destroy(self.queue);
        }
    }
}

/// A message that librdkafka owns. Dropping it gives its memory back.
pub(crate) struct Message {
    message: *mut sys::rd_kafka_message_t,
    /// Parsed when first asked for.
    headers: OnceLock<Headers>,
    queue: Arc<NativeQueue>,
}

enum Headers {
    Absent,
    /// They are malformed, or more than the client reads.
    Unreadable,
    Parsed(*const sys::rd_kafka_headers_t),
}

// SAFETY: a received message is not changed any more but for its headers, whose parsing the `OnceLock` guards.
unsafe impl Send for Message {}
// SAFETY: as above.
unsafe impl Sync for Message {}
// SAFETY: parsed headers are read only.
unsafe impl Send for Headers {}
// SAFETY: as above.
unsafe impl Sync for Headers {}

impl Message {
    fn raw(&self) -> &sys::rd_kafka_message_t {
        // SAFETY: the pointer came from librdkafka and is destroyed only in `drop`.
        unsafe { &*self.message }
    }

    pub(crate) fn topic(&self) -> &str {
        &self.queue.topic
    }

    pub(crate) fn partition(&self) -> i32 {
        self.queue.partition
    }

    /// The error that stands in the place of a record, with its text.
    pub(crate) fn error(&self) -> Option<(RDKafkaErrorCode, String)> {
        let code = self.raw().err;
        if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        // SAFETY: the message is valid; the text lives as long as the message.
        let text = unsafe {
            let text = sys::rd_kafka_message_errstr(self.message);
            if text.is_null() {
                "no text".into()
            } else {
                CStr::from_ptr(text).to_string_lossy()
            }
        };
        Some((code.into(), text.into_owned()))
    }

    pub(crate) fn offset(&self) -> i64 {
        self.raw().offset
    }

    pub(crate) fn key(&self) -> Option<&[u8]> {
        let raw = self.raw();
        // SAFETY: librdkafka says where the key is and how long.
        unsafe { bytes(raw.key, raw.key_len) }
    }

    pub(crate) fn value(&self) -> Option<&[u8]> {
        let raw = self.raw();
        // SAFETY: librdkafka says where the value is and how long.
        unsafe { bytes(raw.payload, raw.len) }
    }

    /// Where key and value lie in what the client has fetched: the addresses of their begin and their end.
    pub(crate) fn place(&self) -> Option<(usize, usize)> {
        let raw = self.raw();
        let (key, value) = (raw.key.addr(), raw.payload.addr());
        match (key, value) {
            (0, 0) => None,
            (0, value) => Some((value, value + raw.len)),
            (key, 0) => Some((key, key + raw.key_len)),
            (key, value) => Some((key, value + raw.len)),
        }
    }

    pub(crate) fn timestamp(&self) -> Option<i64> {
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is valid, `kind` is written.
        let timestamp = unsafe { sys::rd_kafka_message_timestamp(self.message, &mut kind) };
        (timestamp >= 0).then_some(timestamp)
    }

    fn headers(&self) -> &Headers {
        self.headers.get_or_init(|| {
            let mut headers = ptr::null_mut();
            // SAFETY: the message is valid; on success `headers` points into it.
            match unsafe { sys::rd_kafka_message_headers(self.message, &mut headers) } {
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Headers::Parsed(headers),
                RDKafkaRespErr::RD_KAFKA_RESP_ERR__NOENT => Headers::Absent,
                _ => Headers::Unreadable,
            }
        })
    }

    /// Whether the message has headers that the client cannot read.
    pub(crate) fn has_unreadable_headers(&self) -> bool {
        matches!(self.headers(), Headers::Unreadable)
    }

    pub(crate) fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        let Headers::Parsed(headers) = *self.headers() else {
            return None;
        };
        let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the headers live as long as the message; past the last one the call says so.
        let code = unsafe {
            sys::rd_kafka_header_get_all(headers, index, &mut name, &mut value, &mut size)
        };
        if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        // SAFETY: the name ends with a zero; the value is as long as is said. Both live as long as the message.
        unsafe { Some((CStr::from_ptr(name).to_bytes(), bytes(value, size))) }
    }

    /// Gives the memory of parsed headers back: about ten allocations, which the next record takes up again while they are in
    /// the cache. Who asks for a header later parses them anew.
    pub(crate) fn forget_headers(&mut self) {
        let Some(Headers::Parsed(_)) = self.headers.take() else {
            return;
        };
        let mut headers = ptr::null_mut();
        // SAFETY: the message is valid; detached headers belong to the caller, and nothing borrows them, as `self` is borrowed
        // mutably.
        unsafe {
            let code = sys::rd_kafka_message_detach_headers(self.message, &mut headers);
            if code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                sys::rd_kafka_headers_destroy(headers);
            }
        }
    }
}

/// # Safety
///
/// A `pointer` that is not null points to `length` bytes that live as long as `'a`.
unsafe fn bytes<'a>(pointer: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    (!pointer.is_null()).then(|| unsafe { slice::from_raw_parts(pointer.cast(), length) })
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: this is the only owner.
        unsafe { sys::rd_kafka_message_destroy(self.message) }
    }
}

/// The metadata of each element of a list, in its order; empty where there is none or where it is not UTF-8.
pub(crate) fn metadata(list: &TopicPartitionList) -> Vec<String> {
    let raw = list.ptr();
    // SAFETY: the list owns `cnt` elements, whose metadata is as long as is said.
    let elements = unsafe {
        let count = usize::try_from((*raw).cnt).unwrap_or(0);
        if count == 0 {
            &[]
        } else {
            slice::from_raw_parts((*raw).elems, count)
        }
    };
    let text = |element: &sys::rd_kafka_topic_partition_t| {
        // SAFETY: as above.
        let bytes = unsafe { bytes(element.metadata, element.metadata_size) };
        let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
        text.unwrap_or("").to_owned()
    };
    elements.iter().map(text).collect()
}

/// The start and the end of a partition's log as the last fetch told it, without asking the broker.
pub(crate) fn cached_watermarks<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    partition: i32,
) -> Option<(i64, i64)> {
    let topic = CString::new(topic).ok()?;
    let (mut low, mut high) = (-1, -1);
    // SAFETY: the client is valid, `topic` ends with a zero, both numbers are written.
    let code = unsafe {
        sys::rd_kafka_get_watermark_offsets(
            client.native_ptr(),
            topic.as_ptr(),
            partition,
            &mut low,
            &mut high,
        )
    };
    (code == RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR && low >= 0 && high >= 0)
        .then_some((low, high))
}

/// The generation of its group that the member is in, or its member epoch; -1 outside of a group.
pub(crate) fn generation<C: ClientContext>(client: &Client<C>) -> i64 {
    // SAFETY: the client is valid; the metadata is null or belongs to this function.
    unsafe {
        let metadata = sys::rd_kafka_consumer_group_metadata(client.native_ptr());
        if metadata.is_null() {
            return -1;
        }
        let generation = sys::rd_kafka_consumer_group_metadata_generation_id(metadata);
        sys::rd_kafka_consumer_group_metadata_destroy(metadata);
        generation.into()
    }
}

/// Tells the embedded cluster that `client` carries not to wait before a group's first rebalance. Does nothing for any
/// other client.
pub(crate) fn without_rebalance_delay<C: ClientContext>(client: &Client<C>) {
    // SAFETY: the client is valid; a null cluster is left alone.
    unsafe {
        let cluster = sys::rd_kafka_handle_mock_cluster(client.native_ptr());
        if !cluster.is_null() {
            sys::rd_kafka_mock_group_initial_rebalance_delay_ms(cluster, 0);
        }
    }
}

/// Makes the client raise a fatal error, as a broker's answer would.
#[cfg(test)]
pub(crate) fn raise_fatal<C: ClientContext>(client: &Client<C>, code: RDKafkaRespErr) {
    // SAFETY: the client is valid, and the reason ends with a zero.
    let _ = unsafe {
        sys::rd_kafka_test_fatal_error(client.native_ptr(), code, c"raised by a test".as_ptr())
    };
}
