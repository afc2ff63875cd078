//! What the in-memory broker promises beside the conformance suite.

use events_core::{Outgoing, State, event, handler};
use events_runtime::{Position, Service, TopicPartition};
use events_testkit::{Broker, eventually};

#[event(topic = "orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
}
#[event(topic = "stock", key = order_id)]
struct StockReserved {
    order_id: String,
}

#[handler(service = "inventory")]
async fn reserve(order: OrderPlaced, count: State<std::sync::atomic::AtomicU64>) -> StockReserved {
    count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    StockReserved {
        order_id: order.order_id,
    }
}

fn inventory() -> Service {
    Service::new("inventory").state(std::sync::atomic::AtomicU64::new(0))
}

fn order(order_id: &str) -> OrderPlaced {
    OrderPlaced {
        order_id: order_id.to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn all_missing_topics_are_one_fault() {
    let broker = Broker::new();
    broker.create_topic("orders", 1);
    let faults = broker.join(inventory()).expect_err("topics are missing");
    assert_eq!(faults.faults.len(), 1);
    assert_eq!(faults.faults[0].code, "unknown-topic");
    assert_eq!(
        faults.faults[0].message,
        "unknown topics: inventory.dead-letters, inventory.parked.orders, stock"
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_lies_where_kafka_puts_it() {
    let broker = Broker::new();
    broker.create_topic("orders", 8);
    // By `Utils.toPositive(Utils.murmur2(key)) % 8` of the Java client.
    for (key, partition) in [("21", 4), ("foobar", 6), ("abc", 3)] {
        assert_eq!(broker.publish(&order(key)).partition, partition, "{key}");
    }
    let mut fixed = Outgoing::new("orders");
    fixed.set_key(b"foobar").partition = Some(2);
    assert_eq!(broker.produce(fixed).expect("it is written").partition, 2);
    let mut nowhere = Outgoing::new("orders");
    nowhere.partition = Some(8);
    assert!(broker.produce(nowhere).is_err());
    assert!(broker.produce(Outgoing::new("unheard")).is_err());
}

#[tokio::test(start_paused = true)]
async fn timestamps_follow_the_clock_of_the_test() {
    let broker = Broker::new();
    broker.create_topic("orders", 1);
    broker.publish(&order("a"));
    tokio::time::advance(std::time::Duration::from_secs(60)).await;
    broker.publish(&order("b"));
    let records = broker.records("orders");
    assert_eq!(records[1].timestamp - records[0].timestamp, 60_000);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_service_ends_and_leaves_its_group() {
    let broker = Broker::new();
    broker.auto_create(2);
    let running = broker.join(inventory()).expect("it starts");
    broker.publish(&order("a"));
    eventually("stock is reserved", async || {
        broker.records("stock").len() == 1
    })
    .await;
    drop(running);
    eventually("the group is empty", async || {
        broker.members("inventory") == 0
    })
    .await;
    broker.publish(&order("b"));
    events_testkit::throughout(
        "nobody handles",
        std::time::Duration::from_secs(5),
        async || broker.records("stock").len() == 1,
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_operator_may_move_a_group() {
    let broker = Broker::new();
    broker.auto_create(1);
    for key in ["a", "b", "c"] {
        broker.publish(&order(key));
    }
    let position = Position {
        watermark: 2,
        metadata: String::new(),
        parked: None,
    };
    broker.commit("inventory", TopicPartition::new("orders", 0), position);
    let running = broker.join(inventory()).expect("it starts");
    eventually("the last is handled", async || {
        broker.records("stock").len() == 1
    })
    .await;
    assert_eq!(broker.published()[0].key_text().as_deref(), Some("c"));
    assert!(running.shutdown().await.drained);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_with_several_threads_and_a_running_clock() {
    let broker = Broker::new();
    broker.auto_create(4);
    let first = broker.join(inventory()).expect("it starts");
    for number in 0..500 {
        broker.publish(&order(&format!("o-{number}")));
    }
    let second = broker.join(inventory()).expect("it starts");
    for number in 500..1_000 {
        broker.publish(&order(&format!("o-{number}")));
    }
    eventually("all is handled", async || {
        broker.records("stock").len() >= 1_000
    })
    .await;
    assert!(first.shutdown().await.drained);
    assert!(second.shutdown().await.drained);
    assert_eq!(broker.records("stock").len(), 1_000);
}

#[event(topic = "essays", key = title)]
struct Essay {
    title: String,
    text: String,
}

#[handler(service = "critics")]
async fn judge(essay: Essay) -> events_core::Result<()> {
    let verdict = essay.text.replace('x', "bad ");
    Err(events_core::Terminal::msg(verdict).into())
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_gives_up_its_text_before_its_record() {
    let broker = Broker::new();
    broker.auto_create(1).max_record_bytes(2_000);
    let running = broker.join(Service::new("critics")).expect("it starts");
    for length in [100, 1_200] {
        broker.publish(&Essay {
            title: format!("of {length}"),
            text: "x".repeat(length),
        });
    }
    eventually("both are dead-lettered", async || {
        broker.records("critics.dead-letters").len() == 2
    })
    .await;
    running.shutdown().await;
    let letters = broker.records("critics.dead-letters");
    let told = |letter: usize| letters[letter].header_text("dl_error").unwrap_or_default();
    assert!(told(0).starts_with("bad bad"), "{}", told(0));
    assert!(!told(1).contains("bad"), "{}", told(1));
    assert!(
        letters[1]
            .decode::<Essay>()
            .is_ok_and(|essay| essay.text.len() == 1_200)
    );
}
