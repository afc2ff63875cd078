//! Offsets that are no records: markers of transactions, what transactions abort or leave open, and what compaction removes.
//! Only on a cluster that KAFKA_BOOTSTRAP_SERVERS names: the embedded one has no transactions.

mod compaction;
mod scene;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use events_kafka::{Runtime, Services, State, event, handler};
use events_testkit::eventually;
use rdkafka::producer::Producer;
use scene::{MARK, PATIENCE, SERVICE, Scene, WORDS, headers, producer};

/// Not a test of its own: the process that another starts to use the command line.
#[test]
fn command() {
    let Ok(service) = std::env::var(SERVICE) else {
        return;
    };
    println!("{MARK}");
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let services = Services::new().add(Runtime::new(service).state(Handled::default()));
    let words = std::env::var(WORDS).unwrap_or_default();
    let arguments = ["command"].into_iter().chain(words.split(' '));
    let arguments = arguments.map(str::to_owned).collect::<Vec<_>>();
    let ended = tokio.block_on(services.run_from(arguments));
    std::process::exit(i32::from(ended.is_err()));
}

#[derive(Default)]
struct Handled(AtomicU64);

impl Handled {
    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    async fn once(&self, count: u64) {
        eventually(&format!("{count} are handled"), async || {
            self.count() == count
        })
        .await;
    }
}

macro_rules! counting {
    ($module:ident, $event:ident, $topic:literal, $service:literal) => {
        mod $module {
            use super::*;
            use std::sync::atomic::Ordering;

            #[event(topic = $topic)]
            pub(super) struct $event {
                #[serde(default)]
                number: u64,
            }

            events_kafka::service!($service);

            #[handler]
            async fn count(event: $event, handled: State<Handled>) {
                handled.0.fetch_add(1 + event.number, Ordering::Relaxed);
            }
        }
    };
}
pub(crate) use counting;

counting!(
    markers,
    Marked,
    "transactions-marked",
    "transactions-markers"
);

/// The command `lag` counts to the last stable offset, and offsets of markers and of aborted records are no lag.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_lag_counts_no_markers() {
    let Some(scene) = Scene::set("transactions-marked", "transactions-markers", &[]).await else {
        return;
    };
    let handled = Arc::new(Handled::default());
    let handle = scene.start(&handled).await;
    scene
        .begin("Marked", 3)
        .commit_transaction(PATIENCE)
        .unwrap();
    handled.once(3).await;
    assert!(handle.drain().await.drained);
    scene.lags(false).await;
    scene
        .begin("Marked", 2)
        .abort_transaction(PATIENCE)
        .unwrap();
    scene.lags(false).await;
    let open = scene.begin("Marked", 1);
    scene
        .begin("Marked", 1)
        .commit_transaction(PATIENCE)
        .unwrap();
    scene.lags(false).await;
    open.commit_transaction(PATIENCE).unwrap();
    scene.lags(true).await;
}

counting!(ends, Ended, "transactions-ended", "transactions-ends");

/// What a transaction leaves at the end of a log is committed: there is no lag, wherever one asks, and a group that has handled
/// everything goes on once retention has emptied the log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_goes_on_after_retention_has_emptied_the_log() {
    let Some(scene) = Scene::set("transactions-ended", "transactions-ends", &[]).await else {
        return;
    };
    let handled = Arc::new(Handled::default());
    let handle = scene.start(&handled).await;
    for (round, commits) in [true, false].into_iter().enumerate() {
        let producer = scene.begin("Ended", 3);
        match commits {
            true => producer.commit_transaction(PATIENCE).unwrap(),
            false => producer.abort_transaction(PATIENCE).unwrap(),
        }
        handled.once(3).await;
        let end = 4 * (round as i64 + 1);
        scene.committed_once(end).await;
        eventually("there is no lag", async || {
            let status = handle.status();
            let lane = &status.lanes[0];
            lane.watermark == end && lane.lag == Some(0) && handle.lag() == Some(0)
        })
        .await;
        scene.lags(false).await;
    }
    assert!(handle.drain().await.drained);
    scene.cut(8).await;
    let handle = scene.start(&handled).await;
    scene
        .begin("Ended", 1)
        .commit_transaction(PATIENCE)
        .unwrap();
    handled.once(4).await;
    scene.committed_once(10).await;
    let status = handle.status();
    assert_eq!(status.lanes[0].unhealthy, None);
    assert!(handle.drain().await.drained);
}

counting!(opened, Hung, "transactions-hung", "transactions-hanging");

/// What an open transaction has written cannot be read, nor what was written behind it: neither is lag until the transaction
/// ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_transaction_is_no_lag() {
    let Some(scene) = Scene::set("transactions-hung", "transactions-hanging", &[]).await else {
        return;
    };
    let handled = Arc::new(Handled::default());
    let handle = scene.start(&handled).await;
    let committed = scene.begin("Hung", 1);
    committed.commit_transaction(PATIENCE).unwrap();
    scene.committed_once(2).await;
    let id = support::unique("hung");
    let _open = scene.begin_as(&id, "Hung", &["k", "k"]);
    let behind = scene.begin("Hung", 1);
    behind.commit_transaction(PATIENCE).unwrap();
    eventually("the log is longer than what can be read", async || {
        scene.end("read_uncommitted") == 6 && scene.end("read_committed") == 2
    })
    .await;
    let no_lag = |watermark| {
        let status = handle.status();
        let lane = &status.lanes[0];
        let well = lane.unhealthy.is_none() && lane.holding.is_none();
        well && lane.watermark == watermark && lane.lag == Some(0) && handle.lag() == Some(0)
    };
    // The member learns of the log's end first, and is told then that nothing of it can be read.
    let mut since = Instant::now();
    eventually("there is no lag, for some time", async || {
        if !no_lag(2) {
            since = Instant::now();
        }
        since.elapsed() >= Duration::from_secs(3)
    })
    .await;
    scene.lags(false).await;
    assert_eq!(handled.count(), 1);

    // Where there is lag, all say how much: the record, the marker behind it, and that of the abort.
    handle.pause("count").unwrap();
    drop(producer(&id));
    eventually("there is lag", async || {
        let lane = handle.status().lanes.remove(0);
        lane.watermark == 4 && lane.lag == Some(3) && handle.lag() == Some(3)
    })
    .await;
    scene.committed_once(4).await;
    assert_eq!(scene.lag().await[0]["records"], 3);
    handle.resume("count").unwrap();
    handled.once(2).await;
    scene.committed_once(7).await;
    eventually("there is no lag", async || no_lag(7)).await;
    assert!(handle.drain().await.drained);
}

counting!(
    lettered,
    Lettered,
    "transactions-lettered",
    "transactions-letters"
);

/// Commands that read whole logs end where a log ends with what is no record.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_read_to_the_end_of_logs_that_end_with_markers() {
    let service = "transactions-letters";
    let Some(_) = Scene::set("transactions-lettered", service, &[]).await else {
        return;
    };
    let letters = Scene::set("transactions-lettered.DLT", service, &[]).await;
    let parked = "transactions-letters.parked.transactions-lettered";
    let (letters, parked) = (letters.unwrap(), Scene::set(parked, service, &[]).await);
    let parked = parked.unwrap();
    let spring = || {
        headers(&[
            ("ce_type", b"Lettered"),
            ("kafka_dlt-original-topic", b"transactions-lettered"),
            ("kafka_dlt-original-partition", &0_i32.to_be_bytes()),
            ("kafka_dlt-original-offset", &41_i64.to_be_bytes()),
            ("kafka_dlt-exception-message", b"no address"),
        ])
    };
    let id = support::unique("letters");
    let committed = letters.begin_with(&id, &["a", "b"], spring);
    committed.commit_transaction(PATIENCE).unwrap();
    for (scene, end) in [(&letters, 5), (&parked, 2)] {
        let aborted = scene.begin_with(&support::unique("aborted"), &["c"], spring);
        aborted.abort_transaction(PATIENCE).unwrap();
        eventually("the marker is written", async || {
            scene.end("read_committed") == end
        })
        .await;
    }
    let found = letters
        .says("dead-letters list --json --topic transactions-lettered.DLT")
        .await;
    assert_eq!(found["open"], 2, "{found}");
    let found = parked.says("parked list --json").await;
    assert_eq!(found["records"], 0, "{found}");
}
