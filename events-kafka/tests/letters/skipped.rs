//! `skip-batch`: a group goes on behind a batch that cannot be unpacked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use events_core::header;
use events_kafka::{Handle, Runtime, State, event, handler};
use events_testkit::eventually;
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::shop::{Answer, SERVICE, answer, command, topics};
use crate::support::{client, read, real};

/// A parcel was weighed.
#[event(topic = "letters-parcels", key = parcel_id)]
pub(crate) struct ParcelWeighed {
    pub(crate) parcel_id: String,
}

#[derive(Default)]
pub(crate) struct Weighed(AtomicU32);

mod skipping {
    use super::*;

    events_kafka::service!("letters-skipping");

    #[handler]
    async fn weigh(_parcel: ParcelWeighed, weighed: State<Weighed>) {
        weighed.0.fetch_add(1, Ordering::SeqCst);
    }
}

const TOPIC: &str = "letters-parcels";
const LETTERS: &str = "letters-skipping.dead-letters";
/// What the client takes at most: of the service, and of the command.
const MOST: [(&str, &str); 2] = [
    ("receive.message.max.bytes", "1100000"),
    ("fetch.max.bytes", "1000000"),
];

pub(crate) fn runtime() -> Runtime {
    Runtime::new("letters-skipping").configure(|settings| settings.park = None)
}

async fn start(weighed: &Arc<Weighed>) -> Handle {
    let client = MOST
        .into_iter()
        .fold(client(), |client, (name, value)| client.set(name, value));
    let runtime = runtime().client(client).shared_state(Arc::clone(weighed));
    runtime.ensure_topics(2, 1).spawn().await.unwrap()
}

fn skip(address: &str, words: &[&str]) -> Answer {
    let given = ["skip-batch", "--topic", TOPIC, "--partition", "0"];
    let words: Vec<_> = given.iter().chain(words).copied().collect();
    run(address, &words)
}

fn run(address: &str, words: &[&str]) -> Answer {
    let mut command = command(address, words);
    command.env(SERVICE, "skipping");
    for (name, value) in MOST {
        let name = format!("KAFKA_{}", name.replace('.', "_").to_uppercase());
        command.env(name, value);
    }
    answer(command)
}

/// One batch of that many records, each with a value of that many bytes around the id.
fn batch(producer: &BaseProducer, records: usize, bytes: usize) {
    for number in 0..records {
        let padding = " ".repeat(bytes);
        let value = format!(r#"{{"parcel_id":"p-{number}"{padding}}}"#);
        let id = format!("{records}-{bytes}-{number}");
        let headers = OwnedHeaders::new()
            .insert(Header {
                key: header::TYPE,
                value: Some("ParcelWeighed"),
            })
            .insert(Header {
                key: header::ID,
                value: Some(&*id),
            });
        let record: BaseRecord<'_, str, str> = BaseRecord::to(TOPIC)
            .partition(0)
            .key("p")
            .payload(&*value)
            .headers(headers);
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_let_go_on_behind_a_batch_that_cannot_be_unpacked() {
    topics(&[TOPIC, LETTERS]).await;
    let weighed = Arc::new(Weighed::default());
    let service = start(&weighed).await;
    let address = service.address().to_owned();
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &address)
        .set("compression.type", "zstd")
        .set("message.max.bytes", "100000000")
        .set("batch.size", "100000000")
        .set("linger.ms", "2000")
        .create()
        .unwrap();
    batch(&producer, 1, 10);
    batch(&producer, 3, 800_000);
    batch(&producer, 2, 10);
    eventually("the batch is told of", async || {
        let status = service.status();
        let mut lanes = status.lanes.iter();
        lanes.any(|lane| {
            let unhealthy = lane.unhealthy.as_deref().unwrap_or_default();
            unhealthy.contains("the batch at offset") && unhealthy.contains("`skip-batch --topic")
        })
    })
    .await;
    assert_eq!(weighed.0.load(Ordering::SeqCst), 1);
    eventually("what stands before it is committed", async || {
        !skip(&address, &[])
            .err
            .contains("there is no batch to skip")
    })
    .await;
    let refused = skip(&address, &["--yes"]);
    assert_eq!(refused.status, 1, "{}", refused.out);
    assert!(
        refused.err.contains("must have no members"),
        "{}",
        refused.err
    );
    let list = run(&address, &["dead-letters", "list"]);
    assert_eq!(list.out, "no open dead letters", "nothing was skipped");
    service.drain().await;
    if !real() {
        // The embedded cluster lets nobody commit for a group that has had members.
        return;
    }

    let asked = skip(&address, &[]);
    assert_eq!(asked.status, 1, "{}", asked.out);
    assert!(
        asked.err.contains("let the group go on at offset 4"),
        "{}",
        asked.err
    );
    let list = run(&address, &["dead-letters", "list"]);
    assert_eq!(list.out, "no open dead letters", "nothing was changed");

    let skipped = skip(&address, &["--yes", "--reason", "a bomb", "--json"]).json();
    assert_eq!(
        (&skipped["from"], &skipped["to"]),
        (&1.into(), &4.into()),
        "{skipped}"
    );
    assert_eq!(skipped["actor"], "ann");
    let letters = read(&address, LETTERS, 1);
    let told = |name: &str| letters[0].header(name).unwrap_or_default();
    assert_eq!(
        [
            "dl_offset",
            "dl_handler",
            "dl_actor",
            "dl_reason",
            "dl_reference"
        ]
        .map(told),
        ["1", "letters-skipping/weigh", "ann", "a bomb", "origin"]
    );
    assert!(told("dl_error").contains("from offset 1 to 3 were skipped by hand"));

    let service = start(&weighed).await;
    eventually("what stands behind it is handled", async || {
        weighed.0.load(Ordering::SeqCst) == 3
    })
    .await;
    service.drain().await;
    let again = skip(&address, &["--yes"]);
    assert_eq!(again.status, 1);
    assert!(
        again.err.contains("there is no batch to skip"),
        "{}",
        again.err
    );
}
