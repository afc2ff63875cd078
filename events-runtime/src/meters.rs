//! Pre-registered metric handles. Names follow OpenTelemetry's messaging conventions where one exists; `docs/metrics.md`
//! holds the table.

use std::fmt;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use metrics::{
    Counter, Gauge, Histogram, Label, Unit, counter, describe_counter, describe_gauge,
    describe_histogram, gauge, histogram,
};

use crate::status::LaneStatus;
use crate::transport::TopicPartition;

const CONSUMED: &str = "messaging.client.consumed.messages";
const SENT: &str = "messaging.client.sent.messages";
const DURATION: &str = "messaging.process.duration";
const HANDLED: &str = "events.handler.handled";
const RETRIED: &str = "events.handler.retried";
const PARKED: &str = "events.handler.parked";
const DEAD_LETTERED: &str = "events.handler.dead_lettered";
const OVERDUE: &str = "events.handler.overdue";
const DUPLICATES: &str = "events.handler.duplicates";
const LATER: &str = "events.handler.later_versions";
const IN_FLIGHT: &str = "events.lane.in_flight";
const HELD: &str = "events.lane.held";
const SHORTENED: &str = "events.lane.shortened_offset_maps";
const LAG: &str = "events.lane.lag";
const AGE: &str = "events.lane.watermark_age";
const PARKED_KEYS: &str = "events.lane.parked_keys";

/// The value of `messaging.system`: the engine knows no broker, but every transport has Kafka's shape.
pub(crate) const SYSTEM: &str = "kafka";

/// What the counters of a handler are told apart by.
pub(crate) struct HandlerLabels<'a> {
    pub(crate) service: &'a str,
    pub(crate) handler: &'a str,
    pub(crate) group: &'a str,
    /// Names of the topics that it reads, with commas between them.
    pub(crate) topics: String,
}

/// Counters of one handler, kept for the status and handed to the `metrics` recorder.
pub(crate) struct HandlerMeters {
    pub(crate) handled: Meter,
    pub(crate) retried: Meter,
    pub(crate) parked: Meter,
    pub(crate) dead_lettered: Meter,
    pub(crate) emitted: Meter,
    pub(crate) overdue: Meter,
    pub(crate) duplicates: Meter,
    /// Records of a later version than this build knows.
    pub(crate) later: Meter,
    /// The latest such version that was read.
    latest: AtomicU32,
    /// Seconds of attempts.
    pub(crate) duration: Histogram,
}

impl HandlerMeters {
    pub(crate) fn register(of: &HandlerLabels<'_>) -> Self {
        describe();
        let own = vec![
            Label::new("service", of.service.to_owned()),
            Label::new("handler", of.handler.to_owned()),
            Label::from_static_parts("messaging.system", SYSTEM),
        ];
        let mut reading = own.clone();
        reading.extend([
            Label::from_static_parts("messaging.operation.name", "process"),
            Label::new("messaging.consumer.group.name", of.group.to_owned()),
            Label::new("messaging.destination.name", of.topics.clone()),
        ]);
        let meter = |name: &'static str| Meter {
            counter: counter!(name, reading.clone()),
            total: AtomicU64::new(0),
        };
        Self {
            handled: meter(HANDLED),
            retried: meter(RETRIED),
            parked: meter(PARKED),
            dead_lettered: meter(DEAD_LETTERED),
            overdue: meter(OVERDUE),
            duplicates: meter(DUPLICATES),
            later: meter(LATER),
            latest: AtomicU32::new(0),
            emitted: Meter {
                counter: counter!(SENT, own),
                total: AtomicU64::new(0),
            },
            duration: histogram!(DURATION, reading),
        }
    }
}

impl HandlerMeters {
    /// Counts a record of a later version that was read; whether no later one was before.
    pub(crate) fn read_later(&self, version: u32) -> bool {
        self.later.add(1);
        self.latest.fetch_max(version, Ordering::Relaxed) < version
    }

    /// The latest version read above what this build knows; none if there was none.
    pub(crate) fn latest(&self) -> Option<u32> {
        Some(self.latest.load(Ordering::Relaxed)).filter(|version| *version > 0)
    }
}

impl fmt::Debug for HandlerMeters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerMeters")
            .field("handled", &self.handled.total())
            .finish_non_exhaustive()
    }
}

/// One counter.
pub(crate) struct Meter {
    counter: Counter,
    total: AtomicU64,
}

impl Meter {
    /// Adds a batch's worth.
    pub(crate) fn add(&self, count: u64) {
        if count > 0 {
            self.counter.increment(count);
            self.total.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

/// Meters of one assigned partition; told at every commit tick.
pub(crate) struct LaneMeters {
    consumed: Counter,
    shortened: Counter,
    in_flight: Gauge,
    held: Gauge,
    lag: Gauge,
    age: Gauge,
    parked_keys: Gauge,
}

impl LaneMeters {
    pub(crate) fn register(service: &str, group: &str, partition: &TopicPartition) -> Self {
        describe();
        let labels = vec![
            Label::new("service", service.to_owned()),
            Label::from_static_parts("messaging.system", SYSTEM),
            Label::new("messaging.consumer.group.name", group.to_owned()),
            Label::new("messaging.destination.name", partition.topic.clone()),
            Label::new(
                "messaging.destination.partition.id",
                partition.partition.to_string(),
            ),
        ];
        let gauge = |name: &'static str| gauge!(name, labels.clone());
        Self {
            in_flight: gauge(IN_FLIGHT),
            held: gauge(HELD),
            lag: gauge(LAG),
            age: gauge(AGE),
            parked_keys: gauge(PARKED_KEYS),
            shortened: counter!(SHORTENED, labels.clone()),
            consumed: counter!(CONSUMED, labels),
        }
    }

    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self {
            consumed: Counter::noop(),
            shortened: Counter::noop(),
            in_flight: Gauge::noop(),
            held: Gauge::noop(),
            lag: Gauge::noop(),
            age: Gauge::noop(),
            parked_keys: Gauge::noop(),
        }
    }

    pub(crate) fn received(&self, count: u64) {
        if count > 0 {
            self.consumed.increment(count);
        }
    }

    pub(crate) fn shortened(&self) {
        self.shortened.increment(1);
    }

    pub(crate) fn report(&self, status: &LaneStatus, age: f64) {
        self.in_flight.set(status.in_flight as f64);
        self.held.set(status.held as f64);
        self.age.set(age);
        self.parked_keys.set(status.parked_keys as f64);
        if let Some(lag) = status.lag {
            self.lag.set(lag as f64);
        }
    }
}

impl Drop for LaneMeters {
    /// The partition belongs to somebody else by now, who counts it.
    fn drop(&mut self) {
        for gauge in [
            &self.in_flight,
            &self.held,
            &self.lag,
            &self.age,
            &self.parked_keys,
        ] {
            gauge.set(0.0);
        }
    }
}

/// Says once what each name means, to a recorder that wants to know.
fn describe() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let counters = [
            (CONSUMED, "Records received from the broker"),
            (SENT, "Events emitted by handlers"),
            (HANDLED, "Records that a handler has done"),
            (RETRIED, "Attempts that failed and are made again"),
            (PARKED, "Records parked"),
            (DEAD_LETTERED, "Records given up"),
            (OVERDUE, "Blocking attempts that overran their time"),
            (DUPLICATES, "Duplicates told apart and not handled"),
            (
                SHORTENED,
                "Positions committed with less of the offset map than there was",
            ),
            (
                LATER,
                "Records handled of a later version than this build knows",
            ),
        ];
        for (name, text) in counters {
            describe_counter!(name, Unit::Count, text);
        }
        let gauges = [
            (IN_FLIGHT, Unit::Count, "Records dispatched and not done"),
            (HELD, Unit::Count, "Records held back behind failed keys"),
            (
                LAG,
                Unit::Count,
                "Records of the partition that are not done",
            ),
            (
                AGE,
                Unit::Seconds,
                "Age of the oldest record that was received and is not done",
            ),
            (PARKED_KEYS, Unit::Count, "Keys that are parked"),
        ];
        for (name, unit, text) in gauges {
            describe_gauge!(name, unit, text);
        }
        describe_histogram!(DURATION, Unit::Seconds, "Duration of a handler's attempts");
    });
}
