//! Records in CloudEvents structured mode, which is read as binary mode is.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use events_core::{
    AttemptContext, Classify, Delivery, Error, Meta, Middleware, Outgoing, Result, State, event,
    handler, header,
};
use events_runtime::{dead_letter_header as letter, parked_header as parked};

use super::cluster::{Cluster, Running, Verdict};
use super::listed::{reader, subject};
use super::parking::LACKING;
use super::probe::{Probe, Step};
use super::stage::{Stage, Subject, pairs, record_of, status_once};

#[event(topic = "conformance-structured", key = key, crate = crate::conformance::listed)]
pub(crate) struct Enclosed {
    pub(crate) key: String,
    pub(crate) note: Option<String>,
}
#[event(topic = "conformance-structured-out", key = key, crate = crate::conformance::listed)]
pub(crate) struct Disclosed {
    pub(crate) key: String,
}

#[handler(service = "conformance-structured", crate = crate::conformance::listed)]
async fn disclose(enclosed: Enclosed, meta: Meta, probe: State<Probe>) -> Disclosed {
    let tenant = meta.header("tenant").unwrap_or("none");
    let region = meta.header("ce_region").unwrap_or("none");
    probe.note(format!(
        "{} {:?} {} {} v{} {} {tenant} {region}",
        enclosed.key, enclosed.note, meta.id, meta.source, meta.version, meta.hops
    ));
    Disclosed { key: enclosed.key }
}

fn structured(topic: &str, document: &str) -> Outgoing {
    let mut record = Outgoing::new(topic.to_owned());
    record.set_key(b"a").set_value(document.as_bytes());
    record.add_header(header::CONTENT_TYPE, "application/cloudevents+json");
    record
}

/// Both modes in one topic are handled alike: type, id, version, flow and hops come from the document, duplicates are told
/// apart across modes, and what is emitted names its cause. An unknown type is skipped.
pub async fn a_structured_record_is_read_as_a_binary_one<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-structured", 1).await;
    stage.topic("conformance-structured-out", 1).await;
    let attributes =
        r#""specversion":"1.0","source":"conformance","datacontenttype":"application/json""#;
    let documents = [
        format!(
            r#"{{{attributes},"type":"Enclosed","id":"s-1","eventversion":3,"correlationid":"flow","hops":"4","region":"eu","data":{{"key":"json"}}}}"#
        ),
        format!(
            r#"{{{attributes},"type":"Enclosed","id":"s-2","data_base64":"eyJrZXkiOiJiYXNlNjQiLCJub3RlIjoibiJ9"}}"#
        ),
        format!(r#"{{{attributes},"type":"Enclosed","id":"s-1","data":{{"key":"again"}}}}"#),
        format!(r#"{{{attributes},"type":"Unheard","id":"s-3","data":[]}}"#),
    ];
    for document in &documents {
        let mut record = structured(stage.name, document);
        record
            .add_header("tenant", "x")
            .add_header(header::TYPE, "Misleading");
        stage.produce(record).await;
    }
    let binary = Enclosed {
        key: "binary".into(),
        note: None,
    };
    stage.produce(record_of(&binary, "s-2")).await;
    stage.produce(record_of(&binary, "s-4")).await;
    let running = stage.start().await;
    stage.committed_once(6).await;
    // A lane commits before it tells what it skipped.
    status_once(&running, "what is skipped is counted", |status| {
        let lane = &status.lanes[0];
        (lane.duplicates, lane.skipped) == (2, 1)
    })
    .await;
    running.shutdown().await;
    assert_eq!(
        stage.probe.notes(),
        [
            "json None s-1 conformance v3 4 x eu",
            r#"base64 Some("n") s-2 conformance v1 0 x none"#,
            "binary None s-4 conformance v1 0 none none",
        ]
    );
    assert!(stage.letters().await.is_empty());
    let emitted = stage.read("conformance-structured-out").await;
    let caused = |name| emitted[0].header_text(name);
    assert_eq!(caused(header::CAUSATION_ID).as_deref(), Some("s-1"));
    assert_eq!(caused(header::CORRELATION_ID).as_deref(), Some("flow"));
    assert_eq!(caused(header::HOPS).as_deref(), Some("5"));
    Verdict::Held
}

subject!(Boxed, take_boxed, "conformance-boxed");
reader!(Boxed, also_take_boxed, "conformance-boxed");

/// A record whose envelope cannot be read is given up by every handler of its topic, as it came, with the cause and the remedy;
/// so is one whose payload is none of its type.
pub async fn a_broken_envelope_is_dead_lettered<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-boxed", 1).await;
    let broken = r#"{"specversion":"1.0","type":"conformance-boxed","data":{"key":"a""#;
    stage.produce(structured(stage.name, broken)).await;
    let mut batch = structured(stage.name, "[]");
    batch.add_header(header::CONTENT_TYPE, "application/cloudevents-batch+json");
    stage.produce(batch).await;
    let other = r#"{"specversion":"1.0","type":"conformance-boxed","id":"o","data":{"key":7}}"#;
    stage.produce(structured(stage.name, other)).await;
    stage.send::<Boxed>("a", 3).await;
    let running = stage.start().await;
    let letters = stage.letters_once(6).await;
    stage.committed_once(4).await;
    running.shutdown().await;
    assert_eq!(stage.probe.began("take_boxed"), pairs(&[("a", 3)]));
    assert_eq!(stage.probe.began("also_take_boxed"), pairs(&[("a", 3)]));
    let of = |offset: &str| -> Vec<_> {
        let of = letters
            .iter()
            .filter(|dead| dead.header_text(letter::OFFSET).as_deref() == Some(offset));
        of.collect()
    };
    for (offset, words, value) in [
        ("0", "is no JSON object", broken),
        (
            "1",
            "let the producer write each event as a record of its own",
            "[]",
        ),
        // What could be opened is kept in binary mode, for whoever shows, edits or redrives it.
        ("2", "is no conformance-boxed at version 1", r#"{"key":7}"#),
    ] {
        let dead = of(offset);
        let mut handlers: Vec<_> = dead
            .iter()
            .filter_map(|dead| dead.header_text(letter::HANDLER))
            .collect();
        handlers.sort();
        assert_eq!(
            handlers,
            [
                "conformance-boxed/also_take_boxed",
                "conformance-boxed/take_boxed"
            ]
        );
        for dead in dead {
            let error = dead.header_text(letter::ERROR).unwrap_or_default();
            assert!(error.contains(words), "{error}");
            assert_eq!(dead.record.value(), Some(value.as_bytes()));
        }
    }
    Verdict::Held
}

#[event(topic = "conformance-hollow", key = id, topic_exclusive, crate = crate::conformance::listed)]
pub(crate) struct Hollow {
    pub(crate) id: String,
}

#[handler(service = "conformance-hollow", dedupe = false, crate = crate::conformance::listed)]
async fn take_hollow(hollow: Hollow, probe: State<Probe>) {
    probe.note(hollow.id);
}

/// A topic of one type, whose headers nobody needs, has both modes too; also where a document could be taken for a payload.
pub async fn a_topic_without_headers_reads_both_modes<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-hollow", 1).await;
    let document =
        r#"{"specversion":"1.0","type":"Hollow","id":"envelope","data":{"id":"payload"}}"#;
    stage.produce(structured(stage.name, document)).await;
    let running = stage.start().await;
    stage.committed_once(1).await;
    running.shutdown().await;
    assert_eq!(stage.probe.notes(), ["payload"]);

    let stage = Stage::set(cluster, "conformance-exclusive", 1).await;
    stage.send::<Exclusive>("a", 1).await;
    let document = r#"{"specversion":"1.0","type":"conformance-exclusive","id":"2","data":{"key":"a","seq":2}}"#;
    stage.produce(structured(stage.name, document)).await;
    stage.produce(structured(stage.name, "{}")).await;
    stage.send::<Exclusive>("a", 4).await;
    let running = stage.start().await;
    let letters = stage.letters_once(1).await;
    stage.committed_once(4).await;
    running.shutdown().await;
    assert_eq!(
        stage.probe.done("take_exclusive"),
        pairs(&[("a", 1), ("a", 2), ("a", 4)])
    );
    let error = letters[0].header_text(letter::ERROR).unwrap_or_default();
    assert!(error.contains("`specversion` is absent"), "{error}");
    Verdict::Held
}

#[event(
    topic = "conformance-exclusive",
    name = "conformance-exclusive",
    key = key,
    topic_exclusive,
    crate = crate::conformance::listed
)]
pub(crate) struct Exclusive {
    pub(crate) key: String,
    pub(crate) seq: u64,
}

impl Subject for Exclusive {
    fn new(key: &str, seq: u64) -> Self {
        Self {
            key: key.to_owned(),
            seq,
        }
    }
}

reader!(
    Exclusive,
    take_exclusive,
    "conformance-exclusive",
    dedupe = false
);

#[event(topic = "conformance-late-view", key = key, topic_exclusive, crate = crate::conformance::listed)]
pub(crate) struct Viewed {
    pub(crate) key: String,
}

#[handler(service = "conformance-late-view", dedupe = false, crate = crate::conformance::listed)]
async fn view(viewed: Viewed, probe: State<Probe>) -> Result<()> {
    probe.attempt("view", &viewed.key, 0).await
}

/// What it needs is not there at first, so that no attempt looks at a record.
struct Absent {
    attempts: AtomicU32,
}

impl Middleware for Absent {
    fn before(&self, _: &Delivery<'_>, _: &AttemptContext) -> Result<()> {
        match self.attempts.fetch_add(1, Ordering::Relaxed) {
            0..2 => Err(Error::msg("not there yet").unavailable()),
            _ => Ok(()),
        }
    }
}

/// Where headers are not read, that a record is structured is found out by an attempt. It may have waited at the front of its key
/// before, and stays there.
pub async fn a_structured_record_that_waited_is_read<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-late-view", 1).await;
    for key in ["first", "second"] {
        let document = format!(
            r#"{{"specversion":"1.0","type":"Viewed","id":"{key}","data":{{"key":"{key}"}}}}"#
        );
        stage.produce(structured(stage.name, &document)).await;
    }
    let service = stage.service().configure(|settings| {
        settings.hold_probe = (Duration::from_millis(10), Duration::from_millis(10));
    });
    let attempts = AtomicU32::new(0);
    let running = stage
        .start_with(service.middleware(Absent { attempts }))
        .await;
    stage.committed_once(2).await;
    running.shutdown().await;
    let expected = pairs(&[("first", 0), ("second", 0)]);
    assert_eq!(stage.probe.done("view"), expected);
    Verdict::Held
}

subject!(Sealed, take_sealed, "conformance-sealed");

/// A structured record is retried and parked as any other: in its parked log it is in binary mode. One that is redriven as it
/// was is read too, and one that still cannot be read is given up again.
pub async fn a_structured_record_is_retried_parked_and_redriven<C: Cluster>(
    cluster: &C,
) -> Verdict {
    if !cluster.capabilities().parking {
        return LACKING;
    }
    let stage = Stage::set(cluster, "conformance-sealed", 1).await;
    stage.park(1).await;
    let fails = Step::FailUntil("now");
    stage.probe.script("take_sealed", "a", 1, [fails]);
    let document = |data: &str| {
        format!(
            r#"{{"specversion":"1.0","type":"conformance-sealed","id":"{}","data":{data}}}"#,
            data.len()
        )
    };
    let first = document(r#"{"key":"a","seq":1}"#);
    stage.produce(structured(stage.name, &first)).await;
    let running = stage.start_with(stage.parking_service()).await;
    stage.committed_once(1).await;
    for (number, data) in [r#"{"key":"a","seq":20}"#, "7} it ends"]
        .into_iter()
        .enumerate()
    {
        let mut fact = structured(&stage.parked_topic(), &document(data));
        fact.add_header(parked::FACT, "action")
            .add_header(parked::ACTION, "redrive")
            .add_header(parked::HANDLER, "conformance-sealed/take_sealed")
            .add_header(parked::REDRIVE, format!("dead/0/{number}"));
        stage.produce(fact).await;
    }
    stage.probe.open("now");
    stage.done_once("take_sealed", 2).await;
    let letters = stage.letters_once(3).await;
    running.shutdown().await;
    let expected = pairs(&[("a", 1), ("a", 20)]);
    assert_eq!(stage.probe.done("take_sealed"), expected);
    let errors: Vec<_> = letters
        .iter()
        .filter_map(|dead| dead.header_text(letter::ERROR))
        .collect();
    assert!(
        errors.len() == 1 && errors[0].contains("is no JSON object"),
        "{errors:?}"
    );
    let parked = stage.read(&stage.parked_topic()).await;
    let copy = parked
        .iter()
        .find(|fact| fact.header_text(parked::FACT).as_deref() == Some("parked"));
    let value = copy.and_then(|copy| copy.record.value());
    assert_eq!(value, Some(&br#"{"key":"a","seq":1}"#[..]));
    Verdict::Held
}
