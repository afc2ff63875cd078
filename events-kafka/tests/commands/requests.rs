//! Sending, asking and being answered, on the embedded cluster or the one of KAFKA_BOOTSTRAP_SERVERS.

use std::time::Duration;

use events_kafka::{Producer, Sender};

use crate::depot::{CountStock, GATE, OrderStock, PassOn, ReserveStock, depot};
use crate::support::{self, client};

const LONG: Duration = Duration::from_secs(30);
/// Far longer than a command takes to its topic once a producer reads its replies, and all of it is waited.
const HASTE: Duration = Duration::from_secs(3);

/// In one go: each service of its own would cost a rebalance.
#[tokio::test]
async fn commands_reach_their_owner_and_replies_who_asked() {
    let handle = depot().spawn().await.unwrap();
    a_command_is_sent_as_an_event_is_published().await;
    each_request_gets_the_reply_to_its_own_command().await;
    a_request_without_a_reply_names_what_it_waited_for().await;
    a_command_is_not_sent_before_its_reply_can_be_read().await;
    a_late_reply_is_counted_and_disturbs_nobody().await;
    let report = handle.drain().await;
    assert!(report.drained, "{report}");
}

/// The first request of a producer also starts the reader of its replies.
async fn read_replies(producer: &Producer) {
    let sender = producer.sender::<ReserveStock>().within(LONG);
    let id = support::unique("first");
    sender.request(&ReserveStock { id }).await.unwrap();
}

async fn a_command_is_sent_as_an_event_is_published() {
    let producer = Producer::connect("shop", client()).unwrap();
    let sender = producer.sender::<ReserveStock>();
    let id = support::unique("sent");
    let command = ReserveStock { id: id.clone() };
    let written = sender.send_with_id(&command, &id).await.unwrap();
    let found = support::read_at(
        producer.address(),
        "commands-depot.reserve-stock",
        written.partition,
        written.offset,
    );
    assert_eq!(found.key, id);
    let header = |name| found.header(name).unwrap_or_default();
    assert_eq!(
        (header("ce_type"), header("ce_source"), header("ce_id")),
        ("ReserveStock", "shop", &*id)
    );
    let refused = sender.send_with_id(&command, "").await.unwrap_err();
    assert!(!refused.may_be_written());
}

async fn each_request_gets_the_reply_to_its_own_command() {
    let producer = Producer::connect("shop", client()).unwrap();
    let sender = producer.sender::<ReserveStock>();
    let ask = |id: String, sender: Sender<ReserveStock>| async move {
        let sender = sender.within(LONG);
        let reply = sender.request(&ReserveStock { id: id.clone() }).await;
        assert_eq!(reply.unwrap().id, id);
    };
    // The first of them starts the reader: whichever it is, none is lost.
    let asked = (0..50).map(|number| tokio::spawn(ask(number.to_string(), sender.clone())));
    for one in asked.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    // Within a flow of others, only the causation tells the replies apart.
    let flow = producer.correlated("flow-1").sender::<ReserveStock>();
    let flow = flow.within(LONG);
    let (one, other) = (
        ReserveStock { id: "a".into() },
        ReserveStock { id: "b".into() },
    );
    let (one, other) = tokio::join!(flow.request(&one), flow.request(&other));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!((&*one.id, &*other.id), ("a", "b"));
    assert_eq!((&*one.flow, one.cause), ("flow-1", None));
    // Two handlers away, in a flow that the command began: what its handler sends is caused by it.
    let order = producer.sender::<OrderStock>().within(LONG);
    let far = order.request(&OrderStock { id: "far".into() }).await;
    let far = far.unwrap();
    assert_eq!((&*far.id, far.cause), ("far", Some(far.flow)));
    let by_hand = producer.sender::<PassOn>().within(LONG);
    let far = by_hand.request(&PassOn { id: "hand".into() }).await;
    let far = far.unwrap();
    assert_eq!((&*far.id, far.cause), ("hand", Some(far.flow)));
    assert_eq!(producer.late_replies(), 0);
}

async fn a_request_without_a_reply_names_what_it_waited_for() {
    let producer = Producer::builder("shop")
        .client(client())
        .max_requests(1)
        .connect()
        .unwrap();
    read_replies(&producer).await;
    let sender = producer.sender::<ReserveStock>();
    let hasty = sender.clone().within(HASTE);
    let silent = ReserveStock {
        id: "silent".into(),
    };
    let failed = hasty.request(&silent).await.unwrap_err();
    assert!(failed.may_be_carried_out());
    let text = failed.to_string();
    for words in [
        "no StockReply came from `commands-depot` for ReserveStock within 3s",
        "may still be carried out",
    ] {
        assert!(text.contains(words), "{text}");
    }
    // One more than may wait is refused, and one that is dropped gives its place to the next.
    let known = ReserveStock { id: "one".into() };
    tokio::select! {
        biased;
        _ = sender.request(&silent) => panic!("nobody answers"),
        refused = sender.request(&known) => {
            let refused = refused.unwrap_err();
            assert!(!refused.may_be_carried_out());
            assert!(refused.to_string().contains("1 requests wait"), "{refused}");
        }
    }
    let patient = sender.within(LONG);
    assert_eq!(patient.request(&known).await.unwrap().id, "one");
}

/// Its reply could be missed otherwise.
async fn a_command_is_not_sent_before_its_reply_can_be_read() {
    let producer = Producer::connect("shop", client()).unwrap();
    let sender = producer.sender::<ReserveStock>();
    let command = ReserveStock {
        id: support::unique("early"),
    };
    let before = sender.send(&command).await.unwrap();
    // There is no time to find out where the topic of the replies ends.
    let hasty = sender.clone().within(Duration::ZERO);
    let failed = hasty.request(&command).await.unwrap_err();
    assert!(!failed.may_be_carried_out(), "{failed}");
    assert!(failed.to_string().contains("it was not sent"), "{failed}");
    let after = sender.send(&command).await.unwrap();
    assert_eq!(after.offset, before.offset + 1, "nothing lies between them");
}

async fn a_late_reply_is_counted_and_disturbs_nobody() {
    let producer = Producer::connect("shop", client()).unwrap();
    read_replies(&producer).await;
    let sender = producer.sender::<CountStock>();
    let count = |id: &str| CountStock { id: id.into() };
    let hasty = sender.clone().within(HASTE);
    let failed = hasty.request(&count("late")).await.unwrap_err();
    assert!(failed.may_be_carried_out(), "{failed}");
    assert_eq!(producer.late_replies(), 0);
    GATE.add_permits(2);
    // Of the same key, so answered behind it.
    let next = sender.within(LONG).request(&count("late")).await.unwrap();
    assert_eq!(next.id, "late");
    assert_eq!(producer.late_replies(), 1);
}
