//! Producers that write in transactions: their markers take offsets that are no records, and what they abort or leave
//! open is never handed out. Only on a cluster that KAFKA_BOOTSTRAP_SERVERS names: the embedded one has no transactions.

mod support;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use events_kafka::{Handle, Runtime, Services, State, event, handler};
use events_testkit::eventually;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

const MARK: &str = "-- lag --";
const SERVICE: &str = "TRANSACTIONS_SERVICE";

/// Not a test of its own: the process that another starts to use the command line.
#[test]
fn command() {
    let Ok(service) = std::env::var(SERVICE) else {
        return;
    };
    println!("{MARK}");
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let services = Services::new().add(Runtime::new(service).state(Handled::default()));
    let arguments = ["command", "lag", "--json"].map(str::to_owned);
    let ended = tokio.block_on(services.run_from(arguments));
    std::process::exit(i32::from(ended.is_err()));
}

/// One topic, group and service.
struct Scene {
    topic: &'static str,
    service: &'static str,
}

fn config() -> ClientConfig {
    let servers = std::env::var("KAFKA_BOOTSTRAP_SERVERS").unwrap_or_default();
    ClientConfig::from_iter([("bootstrap.servers".to_owned(), servers)])
}

impl Scene {
    /// None where there are no transactions.
    async fn set(topic: &'static str, service: &'static str) -> Option<Self> {
        if !support::real() {
            println!("not on the embedded cluster: set KAFKA_BOOTSTRAP_SERVERS");
            return None;
        }
        let admin: AdminClient<DefaultClientContext> = config().create().unwrap();
        // What an earlier run left.
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        let _ = admin.delete_groups(&[service], &options).await.unwrap();
        let _ = admin.delete_topics(&[topic], &options).await.unwrap();
        eventually("the topic of an earlier run is gone", async || {
            let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
            let made = admin.create_topics([&new], &options).await.unwrap();
            made[0].is_ok()
        })
        .await;
        Some(Self { topic, service })
    }

    async fn start(&self, handled: &Arc<Handled>) -> Handle {
        Runtime::new(self.service)
            .client(support::client())
            .ensure_topics(1, 1)
            .shared_state(Arc::clone(handled))
            .configure(|settings| {
                settings.commit_interval = Duration::from_millis(50);
                settings.park = None;
            })
            .spawn()
            .await
            .unwrap()
    }

    /// A producer within a transaction that has written so many records.
    fn begin(&self, type_name: &str, records: u64) -> BaseProducer {
        let producer: BaseProducer = config()
            .set("transactional.id", support::unique(self.service))
            .create()
            .unwrap();
        producer.init_transactions(PATIENCE).unwrap();
        producer.begin_transaction().unwrap();
        for _ in 0..records {
            let id = support::unique("id");
            let header = |key, value| Header {
                key,
                value: Some(value),
            };
            let headers = OwnedHeaders::new()
                .insert(header("ce_specversion", "1.0"))
                .insert(header("ce_source", "/transactions"))
                .insert(header("ce_type", type_name))
                .insert(header("ce_id", &id));
            let record = BaseRecord::to(self.topic)
                .key("k")
                .payload("{}")
                .headers(headers);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
        producer
    }

    /// Whether the command `lag` says that there is something to do.
    async fn lags(&self, expected: bool) {
        let lag = self.lag().await;
        assert_eq!(lag.len(), 1, "{lag:?}");
        assert_eq!(lag[0]["records"] != 0, expected, "{lag:?}");
        assert_eq!(lag[0]["oldest"] != Value::Null, expected, "{lag:?}");
    }

    /// What the command `lag` says, which asks the cluster alone.
    async fn lag(&self) -> Vec<Value> {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["command", "--exact", "--nocapture", "--test-threads=1"])
            .env(SERVICE, self.service)
            .env_remove("RUST_LOG");
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = output.await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, own) = text.split_once(MARK).unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!error.contains("EOF"), "{error}");
        serde_json::from_str(own.trim()).unwrap_or_else(|fault| panic!("{fault}: {text} {error}"))
    }
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

macro_rules! scene {
    ($module:ident, $event:ident, $topic:literal, $service:literal) => {
        mod $module {
            use super::*;

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

scene!(
    markers,
    Marked,
    "transactions-marked",
    "transactions-markers"
);

/// The command `lag` counts to the last stable offset, and offsets of markers and of aborted records are no lag.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_lag_counts_no_markers() {
    let Some(scene) = Scene::set("transactions-marked", "transactions-markers").await else {
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
