//! Code around attempts and publishes.

use std::sync::Arc;

use events_core::{
    Attempt, AttemptContext, Delivery, Error, EventDescriptor, Extract, Middleware, Outgoing,
    Result, ServiceContext, State, Terminal, event, handler, header,
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
