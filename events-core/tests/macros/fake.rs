//! A record, and an engine that drives one slot through a list of records.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use events_core::engine::{BlockingJob, Panicked, Slot, SlotDriver};
use events_core::{
    AttemptContext, Delivery, Emissions, Error, EventDescriptor, HandlerDescriptor, Middleware,
    RecordView, Registry, Result, ServiceContext,
};

/// A record with a value and headers.
#[derive(Clone, Default)]
pub(crate) struct Fake {
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
}

impl Fake {
    pub(crate) fn json(value: &str) -> Self {
        Self {
            value: Some(value.into()),
            ..Self::default()
        }
    }
}

impl RecordView for Fake {
    fn topic(&self) -> &str {
        "fake"
    }
    fn partition(&self) -> i32 {
        3
    }
    fn offset(&self) -> i64 {
        42
    }
    fn timestamp(&self) -> Option<i64> {
        None
    }
    fn key(&self) -> Option<&[u8]> {
        None
    }
    fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }
    fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        let (name, value) = self.headers.get(index)?;
        Some((name.as_bytes(), Some(value.as_bytes())))
    }
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Nothing, or the error's chain.
    pub(crate) error: Option<String>,
    /// Name, key and payload of each emitted event.
    pub(crate) emitted: Vec<(&'static str, Option<String>, String)>,
    /// How often the attempt was polled.
    pub(crate) polls: u32,
}

/// The handler called `name`.
pub(crate) fn handler(name: &str) -> &'static HandlerDescriptor {
    let handlers = Registry::linked().handlers;
    let found = handlers.into_iter().find(|handler| handler.name == name);
    found.unwrap_or_else(|| panic!("no handler is called {name}"))
}

/// Drives the handler called `name` through `records`, each routed as `event`; an attempt is given up after
/// `patience` polls.
pub(crate) fn run(
    name: &str,
    event: &'static EventDescriptor,
    records: &[Fake],
    patience: u32,
) -> Vec<Ended> {
    run_in(
        ServiceContext::new("testing"),
        name,
        event,
        records,
        patience,
    )
}

/// The same in a service with shared values.
pub(crate) fn run_in(
    service: ServiceContext,
    name: &str,
    event: &'static EventDescriptor,
    records: &[Fake],
    patience: u32,
) -> Vec<Ended> {
    let ended = Arc::new(Mutex::new(Vec::new()));
    let driver = Driver {
        event,
        records: records.to_vec(),
        next: 0,
        patience,
        polls: 0,
        outcome: None,
        pooled: Emissions::new(),
        context: AttemptContext::new(),
        ended: Arc::clone(&ended),
    };
    let slot = Slot::new(Arc::new(service), Box::new(driver));
    let mut future = handler(name).run(slot);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..1_000 {
        if future.as_mut().poll(&mut cx).is_ready() {
            return std::mem::take(&mut ended.lock().unwrap());
        }
    }
    panic!("the slot of {name} does not end");
}

struct Driver {
    event: &'static EventDescriptor,
    records: Vec<Fake>,
    next: usize,
    patience: u32,
    polls: u32,
    outcome: Option<Result<()>>,
    /// What a blocking attempt emitted.
    pooled: Emissions,
    context: AttemptContext,
    ended: Arc<Mutex<Vec<Ended>>>,
}

impl SlotDriver for Driver {
    fn poll_next(&mut self, _: &mut Context<'_>) -> Poll<bool> {
        self.next += 1;
        Poll::Ready(self.next <= self.records.len())
    }

    fn delivery(&self) -> Delivery<'_> {
        Delivery::new(
            &self.records[self.next - 1],
            self.event,
            1,
            1,
            &self.context,
        )
    }

    fn layers(&self) -> Arc<[Arc<dyn Middleware>]> {
        Arc::new([])
    }

    fn has_layers(&self) -> bool {
        false
    }

    fn poll_attempt(
        &mut self,
        cx: &mut Context<'_>,
        attempt: Pin<&mut (dyn Future<Output = Result<()>> + Send + '_)>,
    ) -> Poll<()> {
        self.polls += 1;
        let polled = catch_unwind(AssertUnwindSafe(|| attempt.poll(cx)));
        match polled.unwrap_or_else(|panic| Poll::Ready(Err(Panicked::error(panic)))) {
            Poll::Ready(outcome) => self.outcome = Some(outcome),
            Poll::Pending if self.polls >= self.patience => {
                self.outcome = Some(Err(Error::msg("given up")))
            }
            Poll::Pending => return Poll::Pending,
        }
        Poll::Ready(())
    }

    fn poll_blocking(&mut self, _: &mut Context<'_>, job: &mut Option<BlockingJob>) -> Poll<()> {
        let job = job.take().expect("a job is polled once");
        let pool = std::thread::spawn(move || {
            let mut emissions = Emissions::new();
            let outcome = job(&mut emissions);
            (outcome, emissions)
        });
        let (outcome, emissions) = pool.join().unwrap();
        self.outcome = Some(outcome);
        self.pooled = emissions;
        Poll::Ready(())
    }

    fn refuse(&mut self, error: Error) {
        if !matches!(self.outcome, Some(Err(_))) {
            self.outcome = Some(Err(error));
        }
    }

    fn finish(&mut self, emissions: &mut Emissions) {
        emissions.append(&mut self.pooled);
        if let Err(panic) = self.context.finish(emissions) {
            self.refuse(panic);
        }
        let error = match self.outcome.take() {
            Some(Ok(())) => None,
            Some(Err(error)) => Some(format!("{error:#}")),
            None => Some("no outcome".to_owned()),
        };
        let emitted = emissions.iter().map(|emitted| {
            let value = String::from_utf8(emitted.value.to_vec()).unwrap();
            (emitted.event.name, emitted.key.map(str::to_owned), value)
        });
        let emitted = emitted.collect();
        emissions.clear();
        self.ended.lock().unwrap().push(Ended {
            error,
            emitted,
            polls: std::mem::take(&mut self.polls),
        });
    }
}
