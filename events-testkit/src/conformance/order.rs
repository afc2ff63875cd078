//! Order per key, and keys side by side.

use super::cluster::{Cluster, Running, Verdict};
use super::listed::subject;
use super::probe::Step;
use super::stage::{Stage, pairs};
use crate::eventually;

subject!(Ordered, keep_order, "conformance-order");

/// Records with one key run in log order and never overlap; different keys of one partition do overlap (D2).
pub async fn keys_are_in_order_and_side_by_side<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-order", 1).await;
    let keys: Vec<String> = (0..8).map(|key| format!("k{key}")).collect();
    for key in &keys {
        stage
            .probe
            .script("keep_order", key, 0, [Step::Gate("all have begun")]);
    }
    for seq in 0..10 {
        for key in &keys {
            stage.send::<Ordered>(key, seq).await;
        }
    }
    let running = stage.start().await;
    // Keys may share a slot, so not all need to be under way at once; most are.
    eventually("several keys are under way at once", async || {
        stage.probe.most_at_once("keep_order") >= 4
    })
    .await;
    stage.probe.open("all have begun");
    stage.committed_once(80).await;
    running.shutdown().await;
    stage.probe.assert_order("keep_order");
    for key in &keys {
        let done: Vec<_> = stage
            .probe
            .done("keep_order")
            .into_iter()
            .filter(|(known, _)| known == key)
            .collect();
        assert_eq!(
            done,
            (0..10).map(|seq| (key.clone(), seq)).collect::<Vec<_>>()
        );
    }
    Verdict::Held
}

subject!(Failing, keep_failed, "conformance-order-failed");

/// A key that failed while attempts were ready at once stays in front of its later records when an attempt of another key
/// takes its time, and records are spread over the slots (D2).
pub async fn a_failed_key_stays_in_front_when_keys_are_spread<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-order-failed", 1).await;
    let script = |key: &str, steps: &[Step]| {
        let steps = steps.iter().cloned();
        stage.probe.script("keep_failed", key, 0, steps);
    };
    script("bad", &[Step::Fail("once")]);
    script("slow", &[Step::Gate("slow may go on")]);
    stage.send::<Failing>("bad", 0).await;
    stage.send::<Failing>("slow", 0).await;
    let service = stage.service().configure(|settings| {
        settings.retry.min = std::time::Duration::from_secs(5);
        settings.retry.max = settings.retry.min;
    });
    let running = stage.start_with(service).await;
    eventually("the slow key is under way", async || {
        stage.probe.attempts("keep_failed", "slow", 0) == 1
    })
    .await;
    stage.send::<Failing>("bad", 1).await;
    stage.send::<Failing>("good", 0).await;
    eventually("other keys flow", async || {
        stage.probe.has_done("keep_failed", "good", 0)
    })
    .await;
    stage.probe.open("slow may go on");
    stage.committed_once(4).await;
    running.shutdown().await;
    stage.probe.assert_order("keep_failed");
    let done = stage.probe.done("keep_failed").into_iter();
    let bad: Vec<_> = done.filter(|(key, _)| key == "bad").collect();
    assert_eq!(bad, pairs(&[("bad", 0), ("bad", 1)]));
    Verdict::Held
}

subject!(Slow, keep_slow, "conformance-order-slow");

/// Keys whose attempts take their time keep their slots while others come to an end (D2).
pub async fn slow_keys_keep_their_slots_while_others_end<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-order-slow", 1).await;
    let slow = ["s0", "s1", "s2", "s3"];
    for key in slow {
        let gate = [Step::Gate(key)];
        stage.probe.script("keep_slow", key, 0, gate);
        stage.send::<Slow>(key, 0).await;
    }
    let running = stage.start().await;
    eventually("the slow keys are under way", async || {
        stage.probe.most_at_once("keep_slow") >= 3
    })
    .await;
    // Some of these have a slot of their own, which is empty again afterwards.
    let quick: Vec<_> = (0..8).map(|key| format!("q{key}")).collect();
    for key in &quick {
        stage.send::<Slow>(key, 0).await;
    }
    eventually("quick keys end", async || {
        let done = quick
            .iter()
            .filter(|key| stage.probe.has_done("keep_slow", key, 0));
        done.count() >= 4
    })
    .await;
    for key in slow {
        stage.send::<Slow>(key, 1).await;
    }
    stage.probe.open("s0");
    eventually("the first slow key ends", async || {
        stage.probe.has_done("keep_slow", "s0", 1)
    })
    .await;
    slow.iter().for_each(|key| stage.probe.open(key));
    stage.committed_once(16).await;
    running.shutdown().await;
    stage.probe.assert_order("keep_slow");
    Verdict::Held
}

subject!(Wide, fill_slots, "conformance-order-wide", concurrency = 8);

/// As many keys as there are slots run concurrently: no key waits behind another while a slot is idle (D2).
pub async fn keys_take_idle_slots<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-order-wide", 1).await;
    let keys = ["w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7"];
    for key in keys {
        let gate = [Step::Gate(key)];
        stage.probe.script("fill_slots", key, 0, gate);
        for seq in 0..2 {
            stage.send::<Wide>(key, seq).await;
        }
    }
    let running = stage.start().await;
    eventually("each key has a slot", async || {
        stage.probe.most_at_once("fill_slots") == keys.len()
    })
    .await;
    keys.iter().for_each(|key| stage.probe.open(key));
    stage.committed_once(16).await;
    running.shutdown().await;
    stage.probe.assert_order("fill_slots");
    Verdict::Held
}

subject!(
    Beside,
    flow_beside,
    "conformance-order-beside",
    concurrency = 8,
    timeout = "1h"
);

/// Keys whose attempts take long fill all slots but one, and no other key waits behind them (D6).
pub async fn no_key_waits_behind_a_slow_one<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-order-beside", 1).await;
    let slow: Vec<_> = (0..7).map(|key| format!("s{key}")).collect();
    for key in &slow {
        let gate = [Step::Gate("all may go on")];
        stage.probe.script("flow_beside", key, 0, gate);
        stage.send::<Beside>(key, 0).await;
    }
    let quick: Vec<_> = (0..24).map(|key| format!("q{key}")).collect();
    for seq in 0..3 {
        for key in &quick {
            stage.send::<Beside>(key, seq).await;
        }
    }
    let running = stage.start().await;
    eventually("all others end", async || {
        stage.probe.done("flow_beside").len() == 3 * quick.len()
    })
    .await;
    for key in &slow {
        stage.send::<Beside>(key, 1).await;
    }
    stage.probe.open("all may go on");
    stage.committed_once(86).await;
    running.shutdown().await;
    stage.probe.assert_order("flow_beside");
    Verdict::Held
}

subject!(Single, one_by_one, "conformance-single", concurrency = 1);

/// A key that fails waits; others flow, though they share its only slot. Afterwards its records go on in order (D6).
pub async fn a_failed_key_waits_alone<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-single", 1).await;
    stage.probe.script(
        "one_by_one",
        "bad",
        0,
        [Step::Fail("once"), Step::Gate("bad may go on")],
    );
    for seq in 0..4 {
        stage.send::<Single>("bad", seq).await;
        stage.send::<Single>("good", seq).await;
    }
    // A long first wait: the good key must not need it.
    let service = stage.service().configure(|settings| {
        settings.retry.min = std::time::Duration::from_secs(5);
        settings.retry.max = settings.retry.min;
    });
    let running = stage.start_with(service).await;
    eventually("the good key flows", async || {
        stage.probe.has_done("one_by_one", "good", 3)
    })
    .await;
    assert_eq!(
        stage
            .probe
            .began("one_by_one")
            .iter()
            .filter(|(key, _)| key == "bad")
            .count(),
        1
    );
    assert_eq!(
        stage.committed().await,
        0,
        "the failed record holds the watermark"
    );
    eventually("the bad key is tried again", async || {
        stage.probe.attempts("one_by_one", "bad", 0) == 2
    })
    .await;
    // It is behind the gate now: no record of its key may pass it.
    stage.send::<Single>("bad", 4).await;
    stage.probe.open("bad may go on");
    stage.committed_once(9).await;
    running.shutdown().await;
    stage.probe.assert_order("one_by_one");
    let bad: Vec<_> = stage
        .probe
        .done("one_by_one")
        .into_iter()
        .filter(|(key, _)| key == "bad")
        .collect();
    assert_eq!(
        bad,
        pairs(&[("bad", 0), ("bad", 1), ("bad", 2), ("bad", 3), ("bad", 4)])
    );
    assert!(stage.letters().await.is_empty());
    Verdict::Held
}

subject!(Keyless, without_key, "conformance-keyless");

/// Records without a key have no order, so a waiting one holds back no other.
pub async fn records_without_a_key_run_side_by_side<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-keyless", 1).await;
    stage
        .probe
        .script("without_key", "", 0, [Step::Gate("the first may go on")]);
    for seq in 0..20 {
        let full = super::stage::record_of(
            &<Keyless as super::stage::Subject>::new("", seq),
            &seq.to_string(),
        );
        let mut record = events_core::Outgoing::new(full.topic.clone());
        record.set_value(full.value().unwrap_or_default());
        for (name, value) in full.headers() {
            record.add_raw_header(name, value);
        }
        stage.produce(record).await;
    }
    let running = stage.start().await;
    // One of the others may share the first one's slot by chance of the hash, hardly many.
    eventually("most others are done", async || {
        stage.probe.done("without_key").len() >= 12
    })
    .await;
    assert!(!stage.probe.has_done("without_key", "", 0));
    stage.probe.open("the first may go on");
    stage.committed_once(20).await;
    running.shutdown().await;
    Verdict::Held
}

subject!(
    Loose,
    in_any_order,
    "conformance-unordered",
    ordering = "none",
    retry(attempts = 3, backoff = "500ms")
);

/// A handler that does not want order runs records of one key side by side, and a failed one holds back no other.
pub async fn records_without_order_run_side_by_side<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-unordered", 1).await;
    let waits = [Step::Gate("the first may go on")];
    stage.probe.script("in_any_order", "a", 0, waits);
    stage
        .probe
        .script("in_any_order", "a", 1, [Step::Fail("once")]);
    for seq in 0..20 {
        stage.send::<Loose>("a", seq).await;
    }
    let running = stage.start().await;
    // One of the others may share the first one's slot by chance of the hash, hardly many.
    eventually("most others are done", async || {
        stage.probe.done("in_any_order").len() >= 12
    })
    .await;
    assert!(!stage.probe.has_done("in_any_order", "a", 0));
    stage.probe.open("the first may go on");
    stage.committed_once(20).await;
    running.shutdown().await;
    assert_eq!(stage.probe.attempts("in_any_order", "a", 1), 2);
    Verdict::Held
}
