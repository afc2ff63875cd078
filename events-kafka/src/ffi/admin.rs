//! Requests of the admin API that the safe client does not offer.

use std::ffi::{CStr, CString, c_char};
use std::time::Duration;
use std::{ptr, slice};

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;

/// Names as the client wants them.
pub(super) fn names(names: &[&str]) -> Result<Vec<CString>, RDKafkaErrorCode> {
    let names = names.iter().map(|name| CString::new(*name));
    names
        .collect::<Result<_, _>>()
        .map_err(|_| RDKafkaErrorCode::InvalidArgument)
}

/// # Safety
///
/// `text` ends with a zero.
pub(super) unsafe fn text(text: *const c_char) -> String {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// # Safety
///
/// A list that is not null has `count` elements, which live as long as `'a`.
pub(super) unsafe fn listed<'a, T>(list: *mut *const T, count: usize) -> &'a [*const T] {
    if list.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { slice::from_raw_parts(list, count) }
}

/// The code of an error, if it is one.
///
/// # Safety
///
/// The error is null or valid.
pub(super) unsafe fn refusal(error: *const sys::rd_kafka_error_t) -> Option<RDKafkaErrorCode> {
    if error.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    let code = unsafe { sys::rd_kafka_error_code(error) };
    (code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| code.into())
}

/// How long the client tries to send a request to a group's coordinator: the longest that it takes.
///
/// The client must not time such a request out before it was sent. It keeps the search for the coordinator, and when a
/// broker comes, that search touches the request's memory a second time after it was freed: the process aborts with
/// `eonce->refcnt > 0`. So callers wait by a clock of their own, and close a client that left one unanswered long before.
const COORDINATOR: Duration = Duration::from_secs(3600);

/// Requests under way, with a queue of their own for the answers. To drop it gives the answers up, not the requests.
pub(super) struct Asked {
    pub(super) client: *mut sys::rd_kafka_t,
    pub(super) options: *mut sys::rd_kafka_AdminOptions_t,
    pub(super) queue: *mut sys::rd_kafka_queue_t,
}

/// An answer.
pub(super) struct Event(pub(super) *mut sys::rd_kafka_event_t);

impl Asked {
    /// For requests to the coordinators of groups, each of which is answered alone.
    pub(super) fn of_coordinators<C: ClientContext>(
        client: &Client<C>,
        operation: sys::rd_kafka_admin_op_t,
    ) -> Self {
        Self::new(client, operation, COORDINATOR)
    }

    pub(super) fn new<C: ClientContext>(
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

    pub(super) fn answer(&self, patience: Duration) -> Result<Event, RDKafkaErrorCode> {
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
