//! A lane that ends late, since a handler blocks its thread.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use events_core::{State, event, handler};
use events_runtime::{Service, TopicPartition};
use events_testkit::eventually;

use super::log::{Entry, Member, at};

#[event(topic = "blocked", key = key)]
struct Blocked {
    key: String,
}

/// Says that an attempt has begun, and holds its thread up until it is told to go on.
struct Gate {
    begun: Sender<()>,
    go: Mutex<Receiver<()>>,
}

#[handler(service = "blocked")]
async fn block(_blocked: Blocked, gate: State<Gate>) {
    gate.begun.send(()).unwrap();
    gate.go.lock().unwrap().recv().unwrap();
}

/// The client hands the records of a partition that comes back out through the queue that a lane of before reads too (D1).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_that_was_given_up_takes_no_record_of_the_next_one() {
    let ((begun, begins), (goes, go)) = (channel(), channel());
    let gate = Gate {
        begun,
        go: Mutex::new(go),
    };
    let member = Member::start(Service::new("blocked").state(gate), "blocked", &at(0));
    member.log.push([Entry::new("blocked", 0, "Blocked", "k")]);
    begins.recv().unwrap();
    member
        .group()
        .lose(&[TopicPartition::new("blocked", 0)])
        .await;
    member.log.push([Entry::new("blocked", 1, "Blocked", "k")]);
    goes.send(()).unwrap();
    eventually("the lane has ended", async || !member.log.is_read()).await;
    assert_eq!(member.log.left(), 1);
}
