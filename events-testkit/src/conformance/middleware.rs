//! Code around attempts and publishes.

use std::fmt;
use std::sync::{Arc, Mutex};

use events_core::{
    Attempt, AttemptContext, Classify, Delivery, Error, EventDescriptor, Extract, Middleware,
    Outgoing, Result, ServiceContext, State, Terminal, event, handler, header,
};
use events_runtime::dead_letter_header as letter;

use super::cluster::{Cluster, Running, Verdict};
use super::probe::{Probe, Step};
use super::stage::{Stage, record_of};

#[event(topic = "conformance-layers", key = key, crate = crate::conformance::listed)]
pub(crate) struct Wrapped {
    pub(crate) key: String,
}
#[event(topic = "conformance-layers-out", key = key, crate = crate::conformance::listed)]
pub(crate) struct Unwrapped {
    pub(crate) key: String,
}

/// What the layers left for the attempt.
struct Tenant(String);

impl Extract for Tenant {
    type Prepared = ();

    fn prepare(_: &ServiceContext) -> Result<()> {
        Ok(())
    }

    fn extract((): &(), delivery: &Delivery<'_>) -> Result<Self> {
        let tenant = delivery.extension::<String>();
        tenant
            .map(Self)
            .ok_or_else(|| Error::msg("no layer left a tenant"))
    }
}

#[handler(service = "conformance-layers", crate = crate::conformance::listed)]
async fn unwrap(wrapped: Wrapped, tenant: Tenant, probe: State<Probe>) -> Result<Unwrapped> {
    probe.note(format!("handler for {}", tenant.0));
    probe.attempt("unwrap", &wrapped.key, 0).await?;
    Ok(Unwrapped { key: wrapped.key })
}

struct Layer {
    name: &'static str,
    probe: Arc<Probe>,
}

impl Middleware for Layer {
    fn before(&self, delivery: &Delivery<'_>, context: &AttemptContext) -> Result<()> {
        let tenant = delivery
            .header("tenant")
            .ok_or_else(|| Terminal::msg("no tenant"))?;
        self.probe.note(format!(
            "{} before attempt {}",
            self.name,
            delivery.attempt()
        ));
        context.extend(String::from_utf8_lossy(tenant).into_owned());
        Ok(())
    }

    fn around<'a>(&'a self, attempt: Attempt<'a>) -> Attempt<'a> {
        Box::pin(async move {
            self.probe.note(format!("{} in", self.name));
            let outcome = attempt.await;
            self.probe.note(format!("{} out", self.name));
            outcome.map_err(|error| error.context(format!("seen by {}", self.name)))
        })
    }

    fn on_publish(&self, event: &EventDescriptor, record: &mut Outgoing) {
        record.add_header(self.name, event.name);
    }
}

/// Layers stand around each attempt, the first outermost; they can refuse it, add to what extractors see, change its
/// error, and add headers to what is published.
pub async fn layers_stand_around_attempts<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-layers", 1).await;
    stage.topic("conformance-layers-out", 1).await;
    stage.probe.script("unwrap", "a", 0, [Step::Fail("no")]);
    stage
        .probe
        .script("unwrap", "c", 0, [Step::Terminal("never")]);
    let layer = |name| Layer {
        name,
        probe: Arc::clone(&stage.probe),
    };
    let service = stage
        .service()
        .middleware(layer("outer"))
        .middleware(layer("inner"));
    let running = stage.start_with(service).await;
    let wrapped = |key: &str, tenant: Option<&str>| {
        let mut record = record_of(
            &Wrapped {
                key: key.to_owned(),
            },
            key,
        );
        if let Some(tenant) = tenant {
            record.add_header("tenant", tenant);
        }
        record
    };
    stage.produce(wrapped("a", Some("acme"))).await;
    stage.committed_once(1).await;
    let attempt = |number: u32| {
        let text = [
            format!("outer before attempt {number}"),
            format!("inner before attempt {number}"),
            "outer in".to_owned(),
            "inner in".to_owned(),
            "handler for acme".to_owned(),
            "inner out".to_owned(),
            "outer out".to_owned(),
        ];
        text.to_vec()
    };
    assert_eq!(stage.probe.notes(), [attempt(1), attempt(2)].concat());
    stage.produce(wrapped("b", None)).await;
    stage.produce(wrapped("c", Some("acme"))).await;
    stage.committed_once(3).await;
    let letters = stage.letters_once(2).await;
    running.shutdown().await;
    let published = stage.read("conformance-layers-out").await;
    assert_eq!(published.len(), 1);
    assert_eq!(
        published[0].header_text("outer").as_deref(),
        Some("Unwrapped")
    );
    assert_eq!(
        published[0].header_text("inner").as_deref(),
        Some("Unwrapped")
    );
    let of = |id: &str| {
        let dead = letters
            .iter()
            .find(|dead| dead.header_text(header::ID).as_deref() == Some(id));
        dead.and_then(|dead| dead.header_text(letter::ERROR))
            .unwrap_or_default()
    };
    assert_eq!(of("b"), "no tenant");
    let chain = of("c");
    assert!(
        chain.starts_with("seen by outer\ncaused by: seen by inner\ncaused by: never"),
        "{chain}"
    );
    Verdict::Held
}

#[event(topic = "conformance-layers-blocking", key = key, crate = crate::conformance::listed)]
pub(crate) struct Packed {
    pub(crate) key: String,
}

tokio::task_local! {
    static PLACE: &'static str;
}

#[handler(service = "conformance-layers-blocking", blocking, crate = crate::conformance::listed)]
fn unpack(packed: Packed, probe: State<Probe>) -> Result<()> {
    let place = PLACE.try_with(|place| *place).unwrap_or("nowhere");
    probe.note(format!("handler {place}"));
    probe.attempt_blocking("unpack_blocking", &packed.key, 0)
}

/// Gives the attempt a place, and takes its time.
struct Placing(Arc<Probe>);

impl Middleware for Placing {
    fn around<'a>(&'a self, attempt: Attempt<'a>) -> Attempt<'a> {
        Box::pin(async move {
            self.0.note("in");
            tokio::task::yield_now().await;
            let outcome = PLACE.scope("inside", attempt).await;
            self.0.note("out");
            outcome.map_err(|error| error.context("seen"))
        })
    }
}

/// Layers stand around the attempts of blocking handlers too, on the thread where those run.
pub async fn layers_stand_around_blocking_attempts<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-layers-blocking", 1).await;
    let probe = &stage.probe;
    probe.script("unpack_blocking", "a", 0, [Step::Panic("ouch")]);
    probe.script("unpack_blocking", "b", 0, [Step::Terminal("never")]);
    let layer = Placing(Arc::clone(probe));
    let running = stage.start_with(stage.service().middleware(layer)).await;
    for (place, key) in ["a", "b"].into_iter().enumerate() {
        let packed = Packed {
            key: key.to_owned(),
        };
        stage.produce(record_of(&packed, key)).await;
        stage.committed_once(place as i64 + 1).await;
    }
    let letters = stage.letters_once(1).await;
    running.shutdown().await;
    let whole = ["in", "handler inside", "out"];
    assert_eq!(
        stage.probe.notes(),
        [&whole[..2], &whole, &whole].concat(),
        "a panic, its retry, an error"
    );
    let error = letters[0].header_text(letter::ERROR).unwrap_or_default();
    assert!(error.starts_with("seen\ncaused by: never"), "{error}");
    Verdict::Held
}

#[event(topic = "conformance-panics", key = key, crate = crate::conformance::listed)]
pub(crate) struct Trap {
    pub(crate) key: String,
}
#[event(topic = "conformance-panics-out", key = key, crate = crate::conformance::listed)]
pub(crate) struct Sprung {
    pub(crate) key: String,
}

/// An error that cannot say what it is.
#[derive(Debug)]
struct Mute;

impl fmt::Display for Mute {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no words")
    }
}

impl std::error::Error for Mute {}

#[handler(service = "conformance-panics", crate = crate::conformance::listed)]
async fn spring(trap: Trap, probe: State<Probe>) -> Result<Sprung> {
    let first = probe.attempts("spring", &trap.key, 0) == 0;
    probe.attempt("spring", &trap.key, 0).await?;
    match trap.key.as_str() {
        "mute" if first => Err(Error::new(Mute)),
        "mute for good" => Err(Error::new(Mute).terminal()),
        _ => Ok(Sprung { key: trap.key }),
    }
}

/// Panics once in each of its hooks, for the record that has the hook's name as its key.
struct Panicking {
    left: Mutex<Vec<&'static str>>,
    key: Mutex<String>,
}

impl Panicking {
    fn panic(&self, hook: &str, key: &str) {
        let mut left = self.left.lock().expect("nobody panics under this lock");
        let place = left.iter().position(|left| *left == hook && key == hook);
        if place.map(|place| left.swap_remove(place)).is_some() {
            drop(left);
            panic!("{hook} panics");
        }
    }
}

impl Middleware for Panicking {
    fn before(&self, delivery: &Delivery<'_>, _: &AttemptContext) -> Result<()> {
        let key = String::from_utf8_lossy(delivery.record().key().unwrap_or_default());
        key.as_ref()
            .clone_into(&mut self.key.lock().expect("nobody panics under this lock"));
        self.panic("before", &key);
        Ok(())
    }

    fn around<'a>(&'a self, attempt: Attempt<'a>) -> Attempt<'a> {
        let key = self.key.lock().map(|key| key.clone());
        let key = key.expect("nobody panics under this lock");
        self.panic("around", &key);
        attempt
    }

    fn on_publish(&self, _: &EventDescriptor, record: &mut Outgoing) {
        let key = String::from_utf8_lossy(record.key().unwrap_or_default());
        self.panic("on_publish", &key);
    }
}

/// Code of users that panics outside the handler fails the record that it was called for, and nothing else: it is tried
/// again, and given up like any other.
pub async fn a_panic_outside_the_handler_is_an_error_too<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-panics", 1).await;
    stage.topic("conformance-panics-out", 1).await;
    let fails = Step::Fail("classify");
    stage.probe.script("spring", "classify", 0, [fails]);
    let layer = Panicking {
        left: Mutex::new(vec!["before", "around", "on_publish"]),
        key: Mutex::default(),
    };
    let service = stage.service().middleware(layer).classify(|error| {
        assert_ne!(error.to_string(), "classify", "the table panics");
        None
    });
    let running = stage.start_with(service).await;
    let traps = ["before", "around", "on_publish", "classify", "mute"];
    let keys = [&traps[..], &["mute for good"]].concat();
    for (place, key) in keys.iter().enumerate() {
        let trap = Trap {
            key: (*key).to_owned(),
        };
        stage.produce(record_of(&trap, key)).await;
        stage.committed_once(place as i64 + 1).await;
    }
    let letters = stage.letters_once(1).await;
    running.shutdown().await;
    let error = letters[0].header_text(letter::ERROR).unwrap_or_default();
    assert!(error.contains("no words"), "{error}");
    let sprung = stage.read("conformance-panics-out").await;
    let sprung: Vec<_> = sprung.iter().filter_map(|event| event.key_text()).collect();
    assert_eq!(sprung, traps, "each once, after another attempt");
    for (key, attempts) in traps.iter().zip([1, 1, 2, 2, 2]) {
        assert_eq!(stage.probe.attempts("spring", key, 0), attempts, "{key}");
    }
    Verdict::Held
}
