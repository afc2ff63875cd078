//! The table of requests, without a cluster.

use events_core::{Event, command, event};

use super::*;

#[event(topic = "replies-answers", key = id)]
struct Answer {
    id: String,
}

/// What comes on its topic without a type.
#[event(topic = "replies-plain", topic_default, key = id)]
struct Plain {
    id: String,
}

#[command(owner = "replies", key = id, reply = Answer)]
struct Ask {
    id: String,
}

struct Record {
    topic: &'static str,
    headers: Vec<(&'static str, String)>,
    value: Vec<u8>,
}

impl RecordView for Record {
    fn topic(&self) -> &str {
        self.topic
    }
    fn partition(&self) -> i32 {
        0
    }
    fn offset(&self) -> i64 {
        0
    }
    fn timestamp(&self) -> Option<i64> {
        None
    }
    fn key(&self) -> Option<&[u8]> {
        None
    }
    fn value(&self) -> Option<&[u8]> {
        Some(&self.value)
    }
    fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        let (name, value) = self.headers.get(index)?;
        Some((name.as_bytes(), Some(value.as_bytes())))
    }
}

fn record(kind: &str, cause: &str, flow: &str) -> Record {
    Record {
        topic: "replies-answers",
        headers: vec![
            (header::TYPE, kind.to_owned()),
            (header::CAUSATION_ID, cause.to_owned()),
            (header::CORRELATION_ID, flow.to_owned()),
            (header::EVENT_VERSION, "3".to_owned()),
        ],
        value: b"{}".to_vec(),
    }
}

fn replies(most: usize) -> Arc<Replies> {
    Replies::new(ClientOptions::without_environment(), most)
}

fn expect<'a>(replies: &'a Replies, id: &'a str) -> Result<Waiting<'a>, RequestFailed> {
    replies.expect(Ask::DESCRIPTOR, Answer::DESCRIPTOR, id)
}

#[test]
fn the_event_that_the_command_caused_is_its_reply_and_no_other() {
    let replies = replies(4);
    let mut one = expect(&replies, "one").unwrap();
    let mut other = expect(&replies, "other").unwrap();
    replies.take(&record("Another", "one", "one"));
    replies.take(&record("Answer", "somebody", "somebody"));
    assert!(one.receiver.try_recv().is_err());
    // Caused by the command, within a flow of others.
    replies.take(&record("Answer", "one", "flow"));
    let reply = one.receiver.try_recv().unwrap().unwrap();
    assert_eq!((reply.version, reply.value.unwrap()), (3, b"{}".to_vec()));
    // Further down the flow that the command began.
    replies.take(&record("Answer", "between", "other"));
    assert!(other.receiver.try_recv().unwrap().is_ok());
    // A second answer finds nobody, and is not late.
    replies.take(&record("Answer", "one", "flow"));
    assert_eq!(replies.late(), 0);
}

#[test]
fn a_request_that_is_dropped_frees_its_place_and_its_reply_is_late() {
    let replies = replies(1);
    let waiting = expect(&replies, "one").unwrap();
    let full = expect(&replies, "two").err().unwrap();
    assert!(!full.may_be_carried_out());
    assert!(full.to_string().contains("`max_requests`"), "{full}");
    drop(waiting);
    let next = expect(&replies, "two").unwrap();
    replies.take(&record("Another", "between", "one"));
    assert_eq!(replies.late(), 0, "another event of its flow is no reply");
    replies.take(&record("Answer", "one", "one"));
    assert_eq!(replies.late(), 1);
    replies.take(&record("Answer", "one", "one"));
    assert_eq!(replies.late(), 1, "it is counted once");
    drop(next);
}

#[test]
fn a_reply_in_structured_mode_is_seen() {
    let replies = replies(4);
    let mut one = expect(&replies, "one").unwrap();
    let document = serde_json::json!({
        "specversion": "1.0", "id": "1", "source": "theirs", "type": "Answer",
        "causationid": "one", "eventversion": "2", "data": {"id": "o-1"},
    });
    let content_type = "application/cloudevents+json".to_owned();
    let written = |value: Vec<u8>| Record {
        topic: "replies-answers",
        headers: vec![(header::CONTENT_TYPE, content_type.clone())],
        value,
    };
    replies.take(&written(b"no document".to_vec()));
    replies.take(&written(document.to_string().into()));
    let reply = one.receiver.try_recv().unwrap().unwrap();
    let value = String::from_utf8(reply.value.unwrap()).unwrap();
    assert_eq!((reply.version, &*value), (2, r#"{"id":"o-1"}"#));
}

#[test]
fn a_reply_without_a_type_has_that_of_its_topic() {
    let replies = replies(4);
    let mut one = replies
        .expect(Ask::DESCRIPTOR, Plain::DESCRIPTOR, "one")
        .unwrap();
    let mut plain = record("", "one", "one");
    plain.headers.remove(0);
    replies.take(&plain);
    assert!(one.receiver.try_recv().is_err(), "it is another topic's");
    plain.topic = "replies-plain";
    replies.take(&plain);
    assert!(one.receiver.try_recv().unwrap().is_ok());
}

#[test]
fn what_is_remembered_of_requests_is_bounded() {
    let replies = replies(1);
    for number in 0..REMEMBERED + 10 {
        drop(expect(&replies, &number.to_string()).unwrap());
    }
    let state = replies.state();
    assert_eq!((state.open.len(), state.given_up.len()), (0, REMEMBERED));
}

#[test]
fn requests_learn_that_replies_cannot_be_read() {
    let replies = replies(4);
    let mut waiting = expect(&replies, "one").unwrap();
    replies.fail("the topic was cut");
    let failed = waiting.receiver.try_recv().unwrap().unwrap_err();
    assert!(failed.may_be_carried_out());
    assert!(failed.to_string().contains("the topic was cut"), "{failed}");
    drop(waiting);
    replies.take(&record("Answer", "one", "one"));
}
