//! Drives the generated loop of one slot: feeds it records, watches its attempts, keeps failed keys.

mod begin;
pub(crate) mod failure;
mod holding;
mod outcome;
mod park;

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use events_core::engine::{BlockingJob, Panicked, SlotDriver};
use events_core::{AttemptContext, Delivery, Emissions, Error, Middleware, Result};
use tokio::task::JoinHandle;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, Sleep};

use crate::cell::SlotCell;
use crate::deadline;
use crate::emit::EmitScratch;
use crate::held::Held;
use crate::hold::Hold;
use crate::lane::context::LaneContext;
use crate::observed::{Observed, TimedOut};
use crate::plan::HandlerPlan;
use crate::transport::Record;
use crate::work::{Done, Kind, Published, Work};

const WAITS_FOR_A_THREAD: &str = "its first attempt waits for a thread of tokio's blocking pool: raise the runtime's `max_blocking_threads`, or lower `concurrency`";

pub(crate) struct Driver<R: Record> {
    lane: Arc<LaneContext>,
    handler: Arc<HandlerPlan>,
    /// Its number in the lane.
    slot: u32,
    hold: Arc<Hold>,
    cell: Arc<SlotCell<R>>,
    inbox: VecDeque<Work<R>>,
    /// Done since the last exchange.
    done: Vec<Done>,
    /// To be published since the last exchange.
    published: Vec<Published<R>>,
    held: Held<R>,
    current: Option<Work<R>>,
    outcome: Option<Result<()>>,
    attempt: AttemptContext,
    /// The slot's one timer for attempts, used again. It may be out before the deadline: it is set for an earlier attempt,
    /// and set again only when it is out, since most attempts end long before.
    timer: Option<Pin<Box<Sleep>>>,
    /// When the attempt under way is too late.
    deadline: Option<Instant>,
    timer_runs: bool,
    blocking: Option<JoinHandle<(Emissions, Result<()>)>>,
    /// Events of a blocking attempt, until `finish`.
    blocking_emissions: Emissions,
    overdue: bool,
    /// The attempt under way is listed among the lane's troubles.
    named: bool,
    scratch: EmitScratch,
    observed: Observed,
}

impl<R: Record> Driver<R> {
    pub(crate) fn new(
        lane: Arc<LaneContext>,
        handler: Arc<HandlerPlan>,
        slot: u32,
        cell: Arc<SlotCell<R>>,
    ) -> Self {
        Self {
            hold: lane.hold(&handler),
            slot,
            lane,
            attempt: AttemptContext::declaring(handler.descriptor.emits()),
            handler,
            cell,
            inbox: VecDeque::new(),
            done: Vec::new(),
            published: Vec::new(),
            held: Held::new(),
            current: None,
            outcome: None,
            timer: None,
            deadline: None,
            timer_runs: false,
            blocking: None,
            blocking_emissions: Emissions::new(),
            overdue: false,
            named: false,
            scratch: EmitScratch::default(),
            observed: Observed::new(),
        }
    }

    /// Hands over what was finished and takes what has come.
    fn exchange(&mut self) {
        self.scratch.forget_time();
        let emitted = |published: &&Published<R>| published.kind == Kind::Emissions;
        let handled = self.done.len() + self.published.iter().filter(emitted).count();
        self.handler.meters.handled.add(handled as u64);
        let mut exchange = self.cell.exchange();
        exchange.done.append(&mut self.done);
        exchange.published.append(&mut self.published);
        if self.inbox.is_empty() {
            std::mem::swap(&mut exchange.inbox, &mut self.inbox);
        } else {
            self.inbox.append(&mut exchange.inbox);
        }
    }

    fn next_work(&mut self, cx: &mut Context<'_>) -> Option<Work<R>> {
        if self.hold.is_closed() {
            return self.next_probe(cx);
        }
        if !self.held.is_empty()
            && let Some(work) = self.held.poll_due(cx)
        {
            return Some(work);
        }
        loop {
            let Some(work) = self.inbox.pop_front() else {
                self.exchange();
                if self.inbox.is_empty() {
                    return None;
                }
                continue;
            };
            if self.parks_behind(&work) {
                self.park_behind(work);
                continue;
            }
            if self.held.is_empty() {
                return Some(work);
            }
            match self.held.take_behind(work) {
                Some(work) => return Some(work),
                None => self.lane.add_held(1),
            }
        }
    }

    /// The attempt is not ready: lets the lane see what is finished so far, and sets the timer.
    fn pending(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.timer_runs {
            self.timer_runs = true;
            self.cell.set_busy(true);
            let now = Instant::now();
            self.observed.pending(now);
            self.deadline = Some(deadline::later(now, self.handler.timeout));
        }
        if !self.done.is_empty() || !self.published.is_empty() {
            self.exchange();
        }
        if self.cell.gathers() && !self.cell.is_stopping() {
            self.hand_over();
        }
        if self.lane.stalls() {
            self.name();
        }
        self.poll_deadline(cx)
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(deadline)));
        loop {
            // The attempt's share of tokio's budget is not spent on its deadline.
            ready!(pin!(unconstrained(timer.as_mut())).poll(cx));
            if Instant::now() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
    }

    /// Whether a blocking attempt whose timer is out has time left all the same: its time begins when it begins, and not while
    /// it waits for a thread. Then the timer is set again.
    fn has_time_left(&mut self) -> bool {
        let now = Instant::now();
        let began = self.cell.start().began().unwrap_or(now);
        let until = deadline::later(began, self.handler.timeout);
        self.deadline = Some(until);
        until > now
    }

    /// The attempt takes its time: others must not wait for it, but those of its key, and of keys that are held here.
    #[cold]
    fn hand_over(&mut self) {
        self.cell.set_gathers(false);
        let mut exchange = self.cell.exchange();
        self.inbox.append(&mut exchange.inbox);
        exchange.handed_over.append(&mut self.inbox);
        exchange
            .kept
            .extend(self.current.iter().map(|work| work.lined_up));
        exchange
            .kept
            .extend(self.held.works().map(|work| work.lined_up));
    }

    /// The lane does not advance: says which key is under way, if no error has said so before.
    fn name(&mut self) {
        if let Some(work) = self
            .current
            .as_ref()
            .filter(|work| work.attempt == 1 && !self.named)
        {
            self.named = true;
            let error = Error::msg(match self.cell.start().waits() {
                true => WAITS_FOR_A_THREAD,
                false => "its first attempt has not ended",
            });
            self.lane
                .trouble(&self.handler, work.key, 0, &*work.record, &error);
        }
    }

    fn end_attempt(&mut self) {
        self.observed.end(self.timer_runs, &self.handler.meters);
        if self.timer_runs {
            self.timer_runs = false;
            self.cell.set_busy(false);
        }
        if std::mem::take(&mut self.overdue) {
            self.lane.remove_overdue();
        }
        if std::mem::take(&mut self.named)
            && let Some(work) = &self.current
        {
            self.lane.no_trouble(&self.handler, work.key);
        }
    }
}

impl<R: Record> SlotDriver for Driver<R> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if self.cell.is_stopping() {
            self.exchange();
            return Poll::Ready(false);
        }
        match self.next_to_begin(cx) {
            Some(work) => {
                self.observed
                    .start(&self.lane, &self.handler, &*work.record, work.attempt);
                self.current = Some(work);
                Poll::Ready(true)
            }
            None => Poll::Pending,
        }
    }

    fn delivery(&self) -> Delivery<'_> {
        // The generated loop calls this only between `poll_next` and `finish`, when a record is loaded.
        let work = self
            .current
            .as_ref()
            .expect("a slot has a record between `next` and `finish`");
        let event = self.lane.topic.types[usize::from(work.event)].event;
        Delivery::new(
            &*work.record,
            event,
            work.version,
            work.attempt,
            &self.attempt,
        )
    }

    fn layers(&self) -> Arc<[Arc<dyn Middleware>]> {
        Arc::clone(&self.lane.group.layers)
    }

    fn has_layers(&self) -> bool {
        !self.lane.group.layers.is_empty()
    }

    fn poll_attempt(
        &mut self,
        cx: &mut Context<'_>,
        mut attempt: Pin<&mut (dyn Future<Output = Result<()>> + Send + '_)>,
    ) -> Poll<()> {
        let poll = || self.observed.span.in_scope(|| attempt.as_mut().poll(cx));
        let polled = catch_unwind(AssertUnwindSafe(poll));
        self.outcome = Some(match polled {
            Ok(Poll::Ready(outcome)) => outcome,
            Err(panic) => Err(Panicked::error(panic)),
            Ok(Poll::Pending) => {
                ready!(self.pending(cx));
                self.attempt.cancel();
                Err(Error::new(TimedOut(self.handler.timeout)))
            }
        });
        self.end_attempt();
        Poll::Ready(())
    }

    fn poll_blocking(&mut self, cx: &mut Context<'_>, job: &mut Option<BlockingJob>) -> Poll<()> {
        if let Some(job) = job.take() {
            let start = self.cell.start();
            start.wait();
            self.blocking = Some(self.observed.spawn(job, Arc::clone(start)));
        }
        if let Some(handle) = &mut self.blocking {
            match Pin::new(handle).poll(cx) {
                Poll::Ready(Ok((emissions, outcome))) => {
                    self.blocking_emissions = emissions;
                    self.outcome = Some(outcome);
                }
                Poll::Ready(Err(error)) => self.outcome = Some(Err(error.into())),
                Poll::Pending => {
                    if self.overdue {
                        return Poll::Pending;
                    }
                    loop {
                        ready!(self.pending(cx));
                        if !self.has_time_left() {
                            break;
                        }
                    }
                    // It cannot be dropped, so it keeps its key until it returns (D8).
                    self.attempt.cancel();
                    self.overdue = true;
                    self.lane.add_overdue();
                    self.handler.meters.overdue.add(1);
                    return Poll::Pending;
                }
            }
        }
        self.blocking = None;
        if let Some(began) = self.cell.start().began() {
            self.observed.began(began);
        }
        self.cell.start().end();
        self.end_attempt();
        Poll::Ready(())
    }

    fn refuse(&mut self, error: Error) {
        if matches!(self.outcome, Some(Err(_))) {
            self.say_beside(error);
        } else {
            self.outcome = Some(Err(error));
        }
    }

    fn finish(&mut self, emissions: &mut Emissions) {
        emissions.append(&mut self.blocking_emissions);
        if let Err(panic) = self.attempt.finish(emissions) {
            self.refuse(panic);
        }
        let outcome = match self.outcome.take() {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(self.failure(error)),
            None => Err(self.failure(Error::msg("the attempt ended without an outcome"))),
        };
        let kind = outcome.as_ref().err().map(|failure| failure.kind);
        let span = self.observed.settle(&self.lane, kind);
        self.scratch.trace = self.observed.trace.take();
        let _entered = span.enter();
        if let Some(work) = self.current.take() {
            match outcome {
                Ok(()) => self.succeed(work, emissions),
                Err(failure) => self.fail(work, failure),
            }
        }
        emissions.clear();
    }
}

impl<R: Record> Drop for Driver<R> {
    fn drop(&mut self) {
        // The attempt under way is abandoned: a blocking one, or a task that it spawned, learns of it here.
        if self.current.is_some() {
            self.attempt.cancel();
        }
        if self.overdue {
            self.lane.remove_overdue();
        }
        // One that waits for a thread does not begin any more.
        if self.blocking.as_ref().is_some_and(|job| !job.is_finished())
            && !self.cell.start().withdraw()
        {
            self.lane.add_outliving();
        }
    }
}
