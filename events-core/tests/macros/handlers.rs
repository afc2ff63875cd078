//! `#[handler]`: descriptors, and the loop.

use std::future::pending;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use events_core::{
    Cancellation, Emission, Event, Meta, OneOf, Publisher, Registry, Result, Retry, ServiceContext,
    Start, State, event, handler,
};

use crate::fake::{Fake, handler as found, run, run_in};

#[event(topic = "h", key = id)]
pub(crate) struct Asked {
    id: String,
    how: String,
}

#[event(topic = "h", key = id)]
pub(crate) struct Answered {
    id: String,
}

#[event(topic = "h")]
pub(crate) struct Audited;

/// Answers
/// questions.
///
/// Not shown.
#[handler(
    name = "answer.all",
    service = "answers",
    group = "answers-group",
    start = "2024-01-31T00:00:00Z",
    concurrency = 64,
    retry(attempts = 3, backoff = "10ms..2s"),
    timeout = "30s",
    dedupe = false,
    allow_cycle = ("Asked", "Answered"),
    emits(Audited)
)]
async fn answer(asked: Asked, publisher: Publisher) -> Result<Option<Answered>> {
    publisher.publish(&Audited)?;
    Ok(Some(Answered { id: asked.id }))
}

#[handler(retry(attempts = 2))]
async fn behave(
    asked: Asked,
    total: State<AtomicU32>,
    meta: Meta,
    _token: Cancellation,
) -> Result<Vec<Answered>> {
    total.fetch_add(1, Ordering::Relaxed);
    match asked.how.as_str() {
        "fail" => Err(events_core::Error::msg("failed")),
        "panic" => panic!("it panicked"),
        "wait" => {
            let guard = Counted::new();
            pending::<()>().await;
            drop(guard);
            Ok(Vec::new())
        }
        "yield" => {
            let mut polled = false;
            std::future::poll_fn(|_| {
                if std::mem::replace(&mut polled, true) {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            })
            .await;
            Ok(vec![Answered { id: asked.id }])
        }
        _ => Ok(vec![Answered {
            id: format!("{}@{}", asked.id, meta.offset),
        }]),
    }
}

/// Counts the attempts that are alive.
struct Counted;

static ALIVE: AtomicU32 = AtomicU32::new(0);

impl Counted {
    fn new() -> Self {
        ALIVE.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::SeqCst);
    }
}

#[handler(blocking, start = "latest", group = "pooled")]
fn pooled(asked: Asked, meta: Meta) -> Result<Answered> {
    if asked.how == "fail" {
        return Err(events_core::Error::msg("failed"));
    }
    let name = std::thread::current().name().is_some();
    Ok(Answered {
        id: format!("{} {} {name}", asked.id, meta.partition),
    })
}

#[derive(OneOf)]
enum Either {
    Asked(Asked),
    Answered(Answered),
}

#[derive(Emission)]
enum Outcome {
    Answered(Answered),
    Audited(Audited),
}

#[handler(group = "whole", start = 1_706_659_200_000)]
async fn either(either: Either) -> Outcome {
    match either {
        Either::Asked(asked) => Outcome::Answered(Answered { id: asked.id }),
        Either::Answered(answered) => {
            drop(answered);
            Outcome::Audited(Audited)
        }
    }
}

/// Panics while it is read.
#[event(topic = "h")]
pub(crate) struct Grenade {
    pin: Pin,
}

pub(crate) struct Pin;

mod pin {
    use events_core::__private::{schemars, serde};

    impl<'de> serde::Deserialize<'de> for super::Pin {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("pulled")
        }
    }

    impl serde::Serialize for super::Pin {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_unit()
        }
    }

    impl schemars::JsonSchema for super::Pin {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Pin".into()
        }
        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::Schema::default()
        }
    }
}

#[handler]
async fn catch(grenade: Grenade) {
    let _ = grenade.pin;
}

mod shop {
    events_core::service!("shop");

    #[events_core::handler]
    async fn claimed(_: super::Asked) {}

    pub(crate) mod till {
        #[events_core::handler]
        async fn claimed_below(_: super::super::Asked) {}

        #[events_core::handler(service = "elsewhere")]
        async fn overridden(_: super::super::Asked) {}

        pub(crate) mod kiosk {
            events_core::service!("kiosk");

            #[events_core::handler]
            async fn innermost(_: super::super::super::Asked) {}
        }
    }
}

mod shopping {
    #[events_core::handler]
    async fn unclaimed(_: super::Asked) {}
}

fn asked(how: &str) -> Fake {
    Fake::json(&format!(r#"{{"id":"q","how":"{how}"}}"#))
}

fn counting() -> (ServiceContext, State<AtomicU32>) {
    let (mut service, total) = (
        ServiceContext::new("testing"),
        State::new(AtomicU32::new(0)),
    );
    service.insert(total.clone());
    (service, total)
}

#[test]
fn descriptors_hold_what_the_attribute_says() {
    let answer = found("answer.all");
    assert_eq!(answer.module, "macros::handlers");
    assert_eq!(answer.package, "events-core");
    assert_eq!(answer.doc, "Answers questions.");
    let (file, line) = answer.location.rsplit_once(':').unwrap();
    assert!(file.ends_with("handlers.rs"), "{file}");
    assert!(line.parse::<u32>().unwrap() > 20);
    let options = answer.options;
    assert_eq!(options.service, Some("answers"));
    assert_eq!(options.group, Some("answers-group"));
    assert_eq!(options.start, Some(Start::Time(1_706_659_200_000)));
    assert_eq!(options.concurrency, Some(64));
    let (min, max) = (Duration::from_millis(10), Duration::from_secs(2));
    assert_eq!(
        options.retry,
        Some(Retry {
            attempts: 3,
            min,
            max
        })
    );
    assert_eq!(options.timeout, Some(Duration::from_secs(30)));
    assert_eq!(options.dedupe, Some(false));
    assert_eq!(options.allow_cycle, ["Asked", "Answered"]);
    assert!(!answer.blocking);
    assert_eq!(answer.takes(), [Asked::DESCRIPTOR]);
    assert_eq!(answer.emits(), [Answered::DESCRIPTOR, Audited::DESCRIPTOR]);
    assert!(answer.needs().publisher && answer.needs().headers);
}

#[test]
fn descriptors_have_defaults() {
    let catch = found("catch");
    assert_eq!(catch.options, events_core::HandlerOptions::NONE);
    assert_eq!(catch.needs(), events_core::Needs::default());
    assert!(catch.emits().is_empty());
    let retry = found("behave").options.retry;
    assert_eq!(
        retry,
        Some(Retry {
            attempts: 2,
            ..Retry::DEFAULT
        })
    );
    assert_eq!(found("pooled").options.start, Some(Start::Latest));
    assert_eq!(
        found("either").options.start,
        Some(Start::Time(1_706_659_200_000))
    );
    assert_eq!(
        found("either").takes(),
        [Asked::DESCRIPTOR, Answered::DESCRIPTOR]
    );
    assert_eq!(
        found("either").emits(),
        [Answered::DESCRIPTOR, Audited::DESCRIPTOR]
    );
}

#[test]
fn a_missing_argument_is_known_before_a_record_comes() {
    let mut errors = Vec::new();
    (found("behave").check)(&ServiceContext::new("testing"), &mut errors);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].to_string().contains("AtomicU32"), "{}", errors[0]);
    let mut errors = Vec::new();
    (found("behave").check)(&counting().0, &mut errors);
    assert!(errors.is_empty());
}

#[test]
fn a_slot_without_its_arguments_fails_its_records() {
    let ended = run("behave", Asked::DESCRIPTOR, &[asked("answer")], 1);
    let error = ended[0].error.as_deref().unwrap_or_default();
    assert!(error.contains("no state of type"), "{error}");
    assert_eq!(ended[0].polls, 0, "nothing of the handler runs");
}

#[test]
fn what_is_returned_and_published_is_emitted() {
    let ended = run("answer.all", Asked::DESCRIPTOR, &[asked("")], 1);
    let answered = ("Answered", Some("q".to_owned()), r#"{"id":"q"}"#.to_owned());
    let audited = ("Audited", None, "{}".to_owned());
    assert_eq!(ended[0].emitted, [answered, audited]);
    assert_eq!(ended[0].error, None);
}

#[test]
fn a_failed_attempt_ends_and_the_next_record_is_taken() {
    let (service, total) = counting();
    let records = ["answer", "fail", "panic", "wait", "yield", "answer"].map(asked);
    let ended = run_in(service, "behave", Asked::DESCRIPTOR, &records, 3);
    let errors: Vec<_> = ended.iter().map(|ended| ended.error.as_deref()).collect();
    let panicked = Some("the handler panicked: it panicked");
    assert_eq!(
        errors,
        [None, Some("failed"), panicked, Some("given up"), None, None]
    );
    let polls: Vec<_> = ended.iter().map(|ended| ended.polls).collect();
    assert_eq!(polls, [1, 1, 1, 3, 2, 1]);
    let emitted: Vec<_> = ended.iter().map(|ended| ended.emitted.len()).collect();
    assert_eq!(emitted, [1, 0, 0, 0, 1, 1]);
    assert_eq!(ended[0].emitted[0].1.as_deref(), Some("q@42"));
    assert_eq!(total.load(Ordering::Relaxed), 6);
    assert_eq!(
        ALIVE.load(Ordering::SeqCst),
        0,
        "an attempt that was given up is still alive"
    );
}

#[test]
fn an_undecodable_record_is_refused() {
    let (service, total) = counting();
    let ended = run_in(
        service,
        "behave",
        Asked::DESCRIPTOR,
        &[Fake::json("{}"), asked("answer")],
        1,
    );
    assert!(
        ended[0]
            .error
            .as_deref()
            .unwrap()
            .contains("missing field `id`")
    );
    assert_eq!((ended[0].polls, ended[1].polls), (0, 1));
    assert_eq!(total.load(Ordering::Relaxed), 1);
}

#[test]
fn a_panic_in_a_decoder_is_the_records_own() {
    let ended = run(
        "catch",
        Grenade::DESCRIPTOR,
        &[Fake::json(r#"{"pin":1}"#), Fake::default()],
        1,
    );
    assert_eq!(
        ended[0].error.as_deref(),
        Some("the handler panicked: pulled")
    );
    assert!(ended[1].error.as_deref().unwrap().contains("no value"));
}

#[test]
fn a_blocking_handler_runs_elsewhere() {
    let ended = run(
        "pooled",
        Asked::DESCRIPTOR,
        &[asked("fail"), asked("answer"), Fake::json("{}")],
        1,
    );
    assert_eq!(ended[0].error.as_deref(), Some("failed"));
    assert!(ended[0].emitted.is_empty());
    assert_eq!(ended[1].emitted[0].1.as_deref(), Some("q 3 false"));
    assert!(ended[2].error.as_deref().unwrap().contains("missing field"));
    assert!(found("pooled").blocking);
}

#[test]
fn modules_claim_their_handlers() {
    let registry = Registry::linked();
    let service = |name| registry.service_of(found(name));
    assert_eq!(service("claimed"), Some("shop"));
    assert_eq!(service("claimed_below"), Some("shop"));
    assert_eq!(service("overridden"), Some("elsewhere"));
    assert_eq!(service("innermost"), Some("kiosk"));
    assert_eq!(service("unclaimed"), None);
    assert_eq!(service("answer.all"), Some("answers"));
    assert_eq!(registry.handlers_of("shop").len(), 2);
    for name in ["claimed", "innermost", "unclaimed", "answer.all", "either"] {
        let count = registry
            .handlers
            .iter()
            .filter(|handler| handler.name == name)
            .count();
        assert_eq!(count, 1, "{name}");
    }
}
