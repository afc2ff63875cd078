//! A client that goes back within an assignment: an offset that comes a second time is not handled again (D2).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use events_core::{Error, Meta, Result, Retry, State, event, handler, stable_hash};
use events_runtime::{Service, offset_map::OffsetMap};

use super::log::{Entry, Member, at};

const TOPIC: &str = "redelivered";

#[event(topic = "redelivered", key = key)]
struct Task {
    key: String,
}

/// Offsets of attempts that began.
type Began = Mutex<Vec<i64>>;

#[handler(service = "redelivered")]
async fn work(task: Task, meta: Meta, began: State<Began>) -> Result<()> {
    began.lock().unwrap().push(meta.offset);
    if task.key == "slow" {
        std::future::pending::<()>().await;
    }
    match &*task.key {
        // An attempt that does not end would hold up other keys of its slot.
        "fails" => Err(Error::msg("it fails")),
        _ => Ok(()),
    }
}

fn member(began: &Arc<Began>, from: i64) -> Member {
    let service = Service::new("redelivered")
        .shared_state(Arc::clone(began))
        .configure(|settings| {
            let long = Duration::from_secs(24 * 3600);
            settings.timeout = long;
            settings.retry = Retry {
                min: long,
                max: long,
                ..Retry::DEFAULT
            };
        });
    Member::start(service, TOPIC, &at(from))
}

fn entry(offset: i64, key: &str) -> Entry {
    Entry::new(TOPIC, offset, "Task", key)
}

#[tokio::test(start_paused = true)]
async fn what_is_under_way_is_not_done_because_it_comes_again() {
    let began = Arc::new(Began::default());
    let member = member(&began, 0);
    member.log.push([entry(0, "slow").id("x")]);
    member.log.push([entry(0, "slow").id("x")]);
    let position = member.settled().await;
    let map = OffsetMap::decode(position.watermark, &position.metadata);
    assert_eq!(position.watermark, 0);
    assert!(
        !map.is_done(stable_hash("redelivered/work"), 0),
        "{position:?}"
    );
    assert_eq!(*began.lock().unwrap(), [0]);
    let lane = member.lane();
    assert_eq!((lane.redelivered, lane.duplicates), (1, 0), "{lane:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_done_is_not_handled_again_until_the_highest_offset_is_passed() {
    let began = Arc::new(Began::default());
    let member = member(&began, 0);
    member.log.push((0..3).map(|offset| entry(offset, "a")));
    assert_eq!(member.settled().await.watermark, 3);
    member.log.push((1..5).map(|offset| entry(offset, "a")));
    let position = member.settled().await;
    assert_eq!((position.watermark, &*position.metadata), (5, ""));
    assert_eq!(*began.lock().unwrap(), [0, 1, 2, 3, 4]);
    assert_eq!(member.lane().redelivered, 2);
}

/// Also below the offset at which the assignment began, and among records that wait.
#[tokio::test(start_paused = true)]
async fn a_lane_outlives_any_way_back() {
    let began = Arc::new(Began::default());
    let member = member(&began, 500);
    let key = |offset: i64| if offset % 10 == 0 { "fails" } else { "a" };
    let part = |from: i64, to: i64| (from..to).map(move |offset| entry(offset, key(offset)));
    member.log.push(part(500, 612));
    member.log.push(part(100, 500));
    member.log.push(part(501, 620));
    let position = member.settled().await;
    assert_eq!(position.watermark, 500);
    let map = OffsetMap::decode(position.watermark, &position.metadata);
    let handler = stable_hash("redelivered/work");
    for offset in 500..620 {
        assert_eq!(map.is_done(handler, offset), key(offset) == "a", "{offset}");
    }
    let lane = member.lane();
    assert_eq!(lane.unhealthy, None);
    assert_eq!(lane.redelivered, 400 + 111);
    let mut once = began.lock().unwrap().clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), began.lock().unwrap().len());
}
