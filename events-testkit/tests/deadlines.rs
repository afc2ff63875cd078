//! An attempt's time-out begins with that attempt.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use events_core::{State, event, handler};
use events_runtime::Service;
use events_testkit::{Broker, eventually};

#[event(topic = "deadline-tasks", key = key)]
struct TaskGiven {
    key: String,
    number: u32,
}

#[derive(Default)]
struct Began(Mutex<Vec<u32>>);

/// One attempt of it takes nearly its whole time.
#[handler(service = "deadlines", timeout = "1s")]
async fn work(task: TaskGiven, began: State<Began>) {
    began.0.lock().unwrap().push(task.number);
    tokio::time::sleep(Duration::from_millis(900)).await;
}

/// A slot uses its timer again, which may still be set for the attempt before.
#[tokio::test(start_paused = true)]
async fn no_attempt_ends_by_the_time_out_of_the_attempt_before() {
    let broker = Broker::new();
    broker.auto_create(1);
    for number in 0..5 {
        let task = TaskGiven {
            key: "a".to_owned(),
            number,
        };
        broker.publish(&task);
    }
    let began = Arc::new(Began::default());
    let service = Service::new("deadlines").shared_state(Arc::clone(&began));
    let running = broker.join(service).unwrap();
    eventually("all is handled", async || {
        let committed = broker.committed("deadlines");
        let mut sources = committed.iter();
        sources.any(|(log, position)| log.topic == "deadline-tasks" && position.watermark == 5)
    })
    .await;
    running.shutdown().await;
    assert_eq!(*began.0.lock().unwrap(), [0, 1, 2, 3, 4]);
}
