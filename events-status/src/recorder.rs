//! Keeps what the process counts: a recorder of the `metrics` facade with fixed memory for each series.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use crate::exposition::{self, Family, Kind, Value};

/// Upper bounds in seconds, as OpenTelemetry advises them for `messaging.process.duration`.
pub(crate) const BOUNDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

static INSTALLED: OnceLock<Option<Registry>> = OnceLock::new();

/// Makes the process keep what it counts, for `/metrics`. Meters that were made before count for nobody, so it comes before
/// the services start. A recorder that the process has set up already stays; then `/metrics` says so.
pub fn install_recorder() {
    INSTALLED.get_or_init(|| {
        let registry = Registry::default();
        let installed = metrics::set_global_recorder(registry.clone());
        installed.ok().map(|()| registry)
    });
}

/// All that is counted, as Prometheus text; none if the process counts elsewhere.
pub(crate) fn render() -> Option<String> {
    let registry = INSTALLED.get()?.as_ref()?;
    Some(registry.render())
}

/// All series, by kind and name.
#[derive(Clone, Default)]
struct Registry(Arc<Mutex<Content>>);

#[derive(Default)]
struct Content {
    described: BTreeMap<String, (Option<Unit>, String)>,
    series: BTreeMap<(String, Kind), BTreeMap<String, Series>>,
}

#[derive(Clone)]
enum Series {
    /// A count.
    Counter(Arc<AtomicU64>),
    /// The bits of an `f64`.
    Gauge(Arc<AtomicU64>),
    Histogram(Arc<Buckets>),
}

/// A histogram with fixed buckets: a thousand records of one value cost as much as one.
#[derive(Default)]
pub(crate) struct Buckets {
    /// Not cumulative; the last is for what is above every bound.
    counts: [AtomicU64; BOUNDS.len() + 1],
    /// The bits of an `f64`.
    sum: AtomicU64,
}

impl HistogramFn for Buckets {
    fn record(&self, value: f64) {
        self.record_many(value, 1);
    }

    fn record_many(&self, value: f64, count: usize) {
        let place = BOUNDS.partition_point(|bound| *bound < value);
        self.counts[place].fetch_add(count as u64, Ordering::Relaxed);
        let more = value * count as f64;
        let add = |bits| Some((f64::from_bits(bits) + more).to_bits());
        // `add` never declines.
        let _ = self
            .sum
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }
}

impl Registry {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn describe(&self, name: &KeyName, unit: Option<Unit>, text: &SharedString) {
        let described = (unit, text.to_string());
        self.content()
            .described
            .insert(name.as_str().to_owned(), described);
    }

    fn series(&self, key: &Key, kind: Kind, make: fn() -> Series) -> Series {
        let labels = exposition::labels(key.labels());
        let mut content = self.content();
        let family = content
            .series
            .entry((key.name().to_owned(), kind))
            .or_default();
        family.entry(labels).or_insert_with(make).clone()
    }

    fn render(&self) -> String {
        let content = self.content();
        let mut text = String::new();
        for ((name, kind), series) in &content.series {
            let (unit, help) = content.described.get(name).cloned().unwrap_or_default();
            let family = Family::new(name, *kind, unit, &help);
            family.head(&mut text);
            for (labels, series) in series {
                let value = match series {
                    Series::Counter(count) => Value::Count(count.load(Ordering::Relaxed)),
                    Series::Gauge(bits) => {
                        Value::Number(f64::from_bits(bits.load(Ordering::Relaxed)))
                    }
                    Series::Histogram(buckets) => Value::Buckets {
                        counts: buckets
                            .counts
                            .each_ref()
                            .map(|count| count.load(Ordering::Relaxed)),
                        sum: f64::from_bits(buckets.sum.load(Ordering::Relaxed)),
                    },
                };
                family.line(labels, &value, &mut text);
            }
        }
        text
    }
}

impl Recorder for Registry {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(&name, unit, &text);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(&name, unit, &text);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, text: SharedString) {
        self.describe(&name, unit, &text);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match self.series(key, Kind::Counter, || Series::Counter(Arc::default())) {
            Series::Counter(count) => Counter::from_arc(count),
            _ => Counter::noop(),
        }
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        match self.series(key, Kind::Gauge, || Series::Gauge(Arc::default())) {
            Series::Gauge(bits) => Gauge::from_arc(bits),
            _ => Gauge::noop(),
        }
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        match self.series(key, Kind::Histogram, || Series::Histogram(Arc::default())) {
            Series::Histogram(buckets) => Histogram::from_arc(buckets),
            _ => Histogram::noop(),
        }
    }
}

#[cfg(test)]
mod tests {
    use metrics::{Label, Level};

    use super::*;

    fn key(name: &'static str) -> Key {
        let labels = vec![
            Label::new("messaging.system", "kafka"),
            Label::new("handler", "say \"hi\"\\\n"),
        ];
        Key::from_parts(name, labels)
    }

    #[test]
    fn what_is_counted_is_prometheus_text() {
        let registry = Registry::default();
        let metadata = Metadata::new("test", Level::INFO, None);
        let seconds = Some(Unit::Seconds);
        registry.describe_histogram("a.duration".into(), seconds, "How\nlong".into());
        registry
            .register_counter(&key("a.count"), &metadata)
            .increment(2);
        // The same series again.
        registry
            .register_counter(&key("a.count"), &metadata)
            .increment(1);
        registry.register_gauge(&key("a.level"), &metadata).set(1.5);
        let histogram = registry.register_histogram(&key("a.duration"), &metadata);
        histogram.record_many(0.005, 1000);
        histogram.record(0.3);
        histogram.record(99.0);
        let labels = r#"messaging_system="kafka",handler="say \"hi\"\\\n""#;
        let text = registry.render();
        for line in [
            "# TYPE a_count_total counter".to_owned(),
            format!("a_count_total{{{labels}}} 3"),
            "# TYPE a_level gauge".to_owned(),
            format!("a_level{{{labels}}} 1.5"),
            "# HELP a_duration_seconds How\\nlong".to_owned(),
            "# TYPE a_duration_seconds histogram".to_owned(),
            format!("a_duration_seconds_bucket{{{labels},le=\"0.005\"}} 1000"),
            format!("a_duration_seconds_bucket{{{labels},le=\"0.25\"}} 1000"),
            format!("a_duration_seconds_bucket{{{labels},le=\"0.5\"}} 1001"),
            format!("a_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 1002"),
            format!("a_duration_seconds_sum{{{labels}}} 104.3"),
            format!("a_duration_seconds_count{{{labels}}} 1002"),
        ] {
            assert!(text.lines().any(|known| known == line), "{line}:\n{text}");
        }
    }
}
