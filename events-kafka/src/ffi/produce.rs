//! Records on their way out, without what the safe client allocates for each: a C string for the topic and for the name of
//! every header, and a copy of the value.

use std::borrow::Cow;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use events_core::Outgoing;
use rdkafka::bindings as sys;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use rdkafka::types::RDKafkaRespErr;

/// What the client carries along with a record whose value it reads in place.
pub(crate) struct Sent<T> {
    /// Lives until the answer.
    record: Arc<Outgoing>,
    then: T,
}

impl<T> Sent<T> {
    /// After the answer: the client reads the record no longer. Whoever learns of it by what comes back is the last to refer
    /// to the record.
    pub(crate) fn answered(self) -> T {
        drop(self.record);
        self.then
    }
}

/// Enqueues a record without copying its value. `then` comes back once: here with the reason why the client does not take the
/// record, or else with the answer.
pub(crate) fn produce<C, T>(
    producer: &BaseProducer<C>,
    record: &Arc<Outgoing>,
    then: T,
) -> Result<(), (T, RDKafkaErrorCode)>
where
    C: ProducerContext<DeliveryOpaque = Box<Sent<T>>>,
    T: Send + Sync,
{
    let sent = Box::into_raw(Box::new(Sent {
        record: Arc::clone(record),
        then,
    }));
    // SAFETY: the box is the client's until it comes back with the answer, and keeps the value that the client reads until
    // then; the answer turns the same pointer into the same type. What the client does not take is still ours.
    unsafe {
        let taken = enqueue(producer.client().native_ptr(), record, 0, sent.cast());
        taken.map_err(|code| (Box::from_raw(sent).then, code))
    }
}

/// Enqueues a copy of a record. `number` comes back with the answer.
pub(crate) fn produce_copy<C: ProducerContext<DeliveryOpaque = usize>>(
    producer: &BaseProducer<C>,
    record: &Outgoing,
    number: usize,
) -> Result<(), RDKafkaErrorCode> {
    let flags = sys::RD_KAFKA_MSG_F_COPY;
    // SAFETY: the client copies what it is given; a number has no lifetime.
    unsafe {
        enqueue(
            producer.client().native_ptr(),
            record,
            flags,
            number as *mut c_void,
        )
    }
}

/// Most bytes of a topic's name, by the protocol, and the zero behind it.
const TOPIC: usize = 250;
/// The partitioner chooses.
const UNASSIGNED: i32 = -1;

/// # Safety
///
/// `client` is a valid producer. Without the flag to copy, the record's value lives until the client answers.
unsafe fn enqueue(
    client: *mut sys::rd_kafka_t,
    record: &Outgoing,
    flags: i32,
    opaque: *mut c_void,
) -> Result<(), RDKafkaErrorCode> {
    // No allocation for the name; one that is too long or holds a zero is none that a broker has.
    let mut topic = [0u8; TOPIC];
    let name = record.topic.as_bytes();
    match topic.get_mut(..name.len()) {
        Some(room) if name.len() < TOPIC && !name.contains(&0) => room.copy_from_slice(name),
        _ => return Err(RDKafkaErrorCode::InvalidTopic),
    }
    let span = |bytes: Option<&[u8]>| match bytes {
        Some(bytes) => (bytes.as_ptr().cast_mut().cast::<c_void>(), bytes.len()),
        None => (ptr::null_mut(), 0),
    };
    let ((value, value_size), (key, key_size)) = (span(record.value()), span(record.key()));
    let all = record.headers();
    // SAFETY: names and values are as long as is said, and copied; the client owns the headers if it takes the record. The
    // arguments are of the types that their tags say.
    let code = unsafe {
        let headers = sys::rd_kafka_headers_new(all.len());
        for (name, value) in all {
            let name = header_name(name);
            let (value, size) = span(value);
            // Lengths of slices are in the range of `isize`. Adding a header cannot fail.
            sys::rd_kafka_header_add(
                headers,
                name.as_ptr().cast(),
                name.len() as isize,
                value,
                size as isize,
            );
        }
        let code = sys::rd_kafka_producev(
            client,
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_TOPIC,
            topic.as_ptr(),
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_PARTITION,
            record.partition.unwrap_or(UNASSIGNED),
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_MSGFLAGS,
            flags,
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_VALUE,
            value,
            value_size,
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_KEY,
            key,
            key_size,
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_OPAQUE,
            opaque,
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_TIMESTAMP,
            record.timestamp.unwrap_or(0),
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_HEADERS,
            headers,
            sys::rd_kafka_vtype_t::RD_KAFKA_VTYPE_END,
        );
        if code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            sys::rd_kafka_headers_destroy(headers);
        }
        code
    };
    match code {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        code => Err(code.into()),
    }
}

/// A header's name as every client can read it: text without zeros. Others panic on bytes that are not UTF-8, or cut the name
/// at a zero.
fn header_name(name: &[u8]) -> Cow<'_, [u8]> {
    // Nearly every name.
    if name.iter().all(|byte| (1..0x80).contains(byte)) {
        return Cow::Borrowed(name);
    }
    match String::from_utf8_lossy(name) {
        text if text.contains('\0') => Cow::Owned(text.replace('\0', "").into_bytes()),
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use rdkafka::ClientConfig;
    use rdkafka::client::ClientContext;
    use rdkafka::config::FromClientConfigAndContext;
    use rdkafka::message::DeliveryResult;
    use rdkafka::producer::PurgeConfig;

    use super::*;

    #[derive(Default)]
    struct Answered(Mutex<Vec<u64>>);

    impl ClientContext for Answered {}

    impl ProducerContext for Answered {
        type DeliveryOpaque = Box<Sent<u64>>;

        fn delivery(&self, _: &DeliveryResult<'_>, sent: Box<Sent<u64>>) {
            self.0.lock().unwrap().push(sent.answered());
        }
    }

    fn record(topic: &'static str) -> Arc<Outgoing> {
        let mut record = Outgoing::new(topic);
        record.set_key(b"k").set_value(b"v");
        record.add_header("text", "x");
        record.add_raw_header(b"\xff", None);
        Arc::new(record)
    }

    #[test]
    fn names_of_headers_are_text_without_zeros_and_mostly_as_they_are() {
        for name in ["", "ce_id", "größe"] {
            let sent = header_name(name.as_bytes());
            assert!(
                matches!(sent, Cow::Borrowed(text) if text == name.as_bytes()),
                "{sent:?}"
            );
        }
        assert_eq!(*header_name(b"\xffa\xfe"), *"\u{fffd}a\u{fffd}".as_bytes());
        assert_eq!(*header_name(b"a\0b"), *b"ab");
        assert_eq!(*header_name(b"\0\xff\0"), *"\u{fffd}".as_bytes());
    }

    #[test]
    fn a_record_is_let_go_once_with_its_answer_or_its_refusal() {
        let mut config = ClientConfig::new();
        // Nobody listens there: what is enqueued stays until it is purged.
        config.set("bootstrap.servers", "127.0.0.1:1");
        config.set("log_level", "0");
        let producer = BaseProducer::from_config_and_context(&config, Answered::default()).unwrap();
        let taken = record("topic");
        for number in 0..3 {
            assert!(produce(&producer, &taken, number).is_ok());
        }
        assert_eq!(
            Arc::strong_count(&taken),
            4,
            "the client reads the value in place"
        );
        let refused = record("no\0topic");
        let back = produce(&producer, &refused, 7);
        assert_eq!(back, Err((7, RDKafkaErrorCode::InvalidTopic)));
        assert_eq!(Arc::strong_count(&refused), 1);
        producer.purge(PurgeConfig::default().queue().inflight());
        for _ in 0..100 {
            producer.poll(Duration::from_millis(50));
            if Arc::strong_count(&taken) == 1 {
                break;
            }
        }
        assert_eq!(Arc::strong_count(&taken), 1);
        assert_eq!(*producer.context().0.lock().unwrap(), [0, 1, 2]);
    }
}
