//! Slots and what they hold panic when they are dropped, or made (D5, D9).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use events_core::{Delivery, Extract, Middleware, Result, ServiceContext, State, event, handler};

use super::cluster::{Cluster, Running, Verdict};
use super::panics::Grenade;
use super::probe::{Moment, Probe, Step};
use super::stage::{Stage, record_of};
use crate::eventually;

#[event(topic = "conformance-drops-leaving", key = key, crate = crate::conformance::listed)]
pub(crate) struct Mined {
    pub(crate) key: String,
}

/// What a slot shares between its attempts; it panics when the slot is dropped, once the scenario says so.
struct Kit(Option<State<AtomicBool>>);

impl Drop for Kit {
    fn drop(&mut self) {
        let armed = self.0.as_ref();
        let armed = armed.is_some_and(|armed| armed.load(Ordering::SeqCst));
        assert!(!armed, "what a slot shares");
    }
}

struct FromKit;

impl Extract for FromKit {
    type Prepared = Kit;

    fn prepare(service: &ServiceContext) -> Result<Kit> {
        Ok(Kit(service.get()))
    }

    fn extract(_: &Kit, _: &Delivery<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[handler(service = "conformance-drops-leaving", crate = crate::conformance::listed)]
async fn sit(mined: Mined, probe: State<Probe>, _kit: FromKit) -> Result<()> {
    let mined_now = mined.key != "quiet" && probe.attempts("sit", &mined.key, 0) == 0;
    let _grenade = mined_now.then(|| Grenade("an attempt under way"));
    probe.attempt("sit", &mined.key, 0).await
}

/// A layer and a state that panic when the last of the service is dropped.
struct Fading {
    _grenade: Grenade,
}

impl Fading {
    fn new(what: &'static str) -> Self {
        Self {
            _grenade: Grenade(what),
        }
    }
}

impl Middleware for Fading {}

/// What panics when its slot is dropped spoils no drain: each attempt is dropped and counted, and what is done is committed.
pub async fn a_panic_in_a_drop_spoils_no_drain<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-drops-leaving", 1).await;
    let keys = ["quiet", "a", "b", "c", "d", "e", "f", "g", "h"];
    for key in keys {
        if key != "quiet" {
            stage.probe.script("sit", key, 0, [Step::Hang]);
        }
        let mined = Mined {
            key: key.to_owned(),
        };
        stage.produce(record_of(&mined, key)).await;
    }
    let armed = Arc::new(AtomicBool::new(false));
    let service = stage
        .service()
        .shared_state(Arc::clone(&armed))
        .middleware(Fading::new("a layer"))
        .state(Fading::new("a state"))
        .configure(|settings| settings.drain = Duration::from_millis(50));
    let running = stage.start_with(service).await;
    stage.committed_once(1).await;
    eventually("several attempts are under way", async || {
        stage.probe.began("sit").len() > 2
    })
    .await;
    armed.store(true, Ordering::SeqCst);
    let report = running.shutdown().await;
    let journal = stage.probe.journal();
    let dropped = journal.iter().filter(|line| line.moment == Moment::Dropped);
    let dropped = dropped.count();
    assert!(dropped >= 2, "{journal:?}");
    assert_eq!(
        (report.drained, report.abandoned),
        (false, dropped),
        "{report:?}"
    );
    assert_eq!(stage.committed().await, 1);
    let running = stage.start().await;
    stage.committed_once(keys.len() as i64).await;
    let report = running.shutdown().await;
    assert!(report.drained, "{report:?}");
    Verdict::Held
}

#[event(topic = "conformance-drops-prepare", key = key, crate = crate::conformance::listed)]
pub(crate) struct Unready {
    pub(crate) key: String,
}

/// Looked up once for each slot, which panics for the first after the start.
struct Late;

impl Extract for Late {
    type Prepared = ();

    fn prepare(service: &ServiceContext) -> Result<()> {
        let armed = service
            .get::<AtomicBool>()
            .is_some_and(|armed| armed.swap(false, Ordering::SeqCst));
        assert!(!armed, "not there yet");
        Ok(())
    }

    fn extract((): &(), _: &Delivery<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[handler(service = "conformance-drops-prepare", crate = crate::conformance::listed)]
async fn get_ready(unready: Unready, probe: State<Probe>, _late: Late) -> Result<()> {
    probe.attempt("get_ready", &unready.key, 0).await
}

/// What an argument needs is looked up once for each slot. If that panics while the service runs, the record fails, and it
/// is looked up again for the next attempt.
pub async fn a_panic_while_a_slot_is_prepared_is_an_error_of_its_record<C: Cluster>(
    cluster: &C,
) -> Verdict {
    let stage = Stage::set(cluster, "conformance-drops-prepare", 1).await;
    let armed = Arc::new(AtomicBool::new(false));
    let service = stage.service().shared_state(Arc::clone(&armed));
    let running = stage.start_with(service).await;
    armed.store(true, Ordering::SeqCst);
    let unready = Unready {
        key: "a".to_owned(),
    };
    stage.produce(record_of(&unready, "a")).await;
    stage.committed_once(1).await;
    let status = running.status().await;
    running.shutdown().await;
    assert!(!armed.load(Ordering::SeqCst), "it was looked up");
    assert_eq!(stage.probe.attempts("get_ready", "a", 0), 1);
    let retried: u64 = status.handlers.iter().map(|handler| handler.retried).sum();
    assert_eq!(retried, 1);
    Verdict::Held
}
