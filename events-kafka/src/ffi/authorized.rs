//! What a client may do, as the broker tells it (KIP-430): the safe client does not ask.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char};
use std::time::Duration;
use std::{ptr, slice};

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;

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

/// What this user may do with consumer groups. Waits for the answer.
pub(crate) fn authorized_on_groups<C: ClientContext>(
    client: &Client<C>,
    groups: &[&str],
    patience: Duration,
) -> Answer {
    let names = names(groups)?;
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    let operation = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
    let asked = Asked::new(client, operation, patience);
    // SAFETY: the names end with zeros and outlive the call, which copies them.
    unsafe {
        let (all, count) = (pointers.as_mut_ptr(), pointers.len());
        sys::rd_kafka_DescribeConsumerGroups(asked.client, all, count, asked.options, asked.queue);
    }
    let event = asked.answer(patience)?;
    // SAFETY: as for topics.
    unsafe {
        let result = sys::rd_kafka_event_DescribeConsumerGroups_result(event.0);
        let mut count = 0;
        let all = sys::rd_kafka_DescribeConsumerGroups_result_groups(result, &mut count);
        let told = listed(all, count).iter().map(|&group| {
            let name = text(sys::rd_kafka_ConsumerGroupDescription_group_id(group));
            let error = sys::rd_kafka_ConsumerGroupDescription_error(group);
            let mut count = 0;
            let operations =
                sys::rd_kafka_ConsumerGroupDescription_authorized_operations(group, &mut count);
            (name, Told::of(error, operations, count))
        });
        Ok(told.collect())
    }
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
        if !error.is_null() {
            // SAFETY: the caller's promise.
            let code = unsafe { sys::rd_kafka_error_code(error) };
            if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Self::Refused(code.into());
            }
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

fn names(names: &[&str]) -> Result<Vec<CString>, RDKafkaErrorCode> {
    let names = names.iter().map(|name| CString::new(*name));
    names
        .collect::<Result<_, _>>()
        .map_err(|_| RDKafkaErrorCode::InvalidArgument)
}

/// # Safety
///
/// `text` ends with a zero.
unsafe fn text(text: *const c_char) -> String {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// # Safety
///
/// A list that is not null has `count` elements, which live as long as `'a`.
unsafe fn listed<'a, T>(list: *mut *const T, count: usize) -> &'a [*const T] {
    if list.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(list, count) }
}

/// A request under way, with a queue of its own for the answer.
struct Asked {
    client: *mut sys::rd_kafka_t,
    options: *mut sys::rd_kafka_AdminOptions_t,
    queue: *mut sys::rd_kafka_queue_t,
}

struct Event(*mut sys::rd_kafka_event_t);

impl Asked {
    fn new<C: ClientContext>(
        client: &Client<C>,
        operation: sys::rd_kafka_admin_op_t,
        patience: Duration,
    ) -> Self {
        let client = client.native_ptr();
        let millis = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the client is valid; options and queue are destroyed in `drop`. A refused option would come back as an
        // error that is to be destroyed, or as a text that nobody wants.
        unsafe {
            let options = sys::rd_kafka_AdminOptions_new(client, operation);
            sys::rd_kafka_AdminOptions_set_request_timeout(options, millis, ptr::null_mut(), 0);
            let refused = sys::rd_kafka_AdminOptions_set_include_authorized_operations(options, 1);
            if !refused.is_null() {
                sys::rd_kafka_error_destroy(refused);
            }
            let queue = sys::rd_kafka_queue_new(client);
            Self {
                client,
                options,
                queue,
            }
        }
    }

    fn answer(&self, patience: Duration) -> Result<Event, RDKafkaErrorCode> {
        // The client itself answers once the request has timed out; the second is its own.
        let millis = i32::try_from(patience.as_millis() + 1000).unwrap_or(i32::MAX);
        // SAFETY: the queue is valid; the event is destroyed in its `drop`.
        unsafe {
            let event = sys::rd_kafka_queue_poll(self.queue, millis);
            if event.is_null() {
                return Err(RDKafkaErrorCode::OperationTimedOut);
            }
            let event = Event(event);
            match sys::rd_kafka_event_error(event.0) {
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(event),
                code => Err(code.into()),
            }
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        // SAFETY: both are valid and nobody else's.
        unsafe {
            sys::rd_kafka_AdminOptions_destroy(self.options);
            sys::rd_kafka_queue_destroy(self.queue);
        }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the event is valid and nobody else's.
        unsafe { sys::rd_kafka_event_destroy(self.0) }
    }
}
