//! What one measured run brought, and many of one variant.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::job::Variant;

/// What one measured run brought.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) records: u64,
    /// From the first record to the last.
    pub(crate) seconds: f64,
    /// Processor time of the process in that span, all threads.
    pub(crate) cpu_seconds: f64,
    /// The most memory that the process ever held, in MiB.
    pub(crate) peak_mib: f64,
    /// Latencies in milliseconds, where they are what is measured.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) latency: Option<Latency>,
    /// Memory in MiB once a second, where that is what is measured.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) memory_mib: Vec<f64>,
    /// Other figures by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub(crate) figures: BTreeMap<String, f64>,
    /// What was handled, where each record counts.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) handled: Vec<Handled>,
}

/// A record that was handled.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Handled {
    pub(crate) number: u64,
    pub(crate) partition: i32,
    /// When, in microseconds since the Unix epoch.
    pub(crate) at_us: u64,
}

/// Latencies in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl Sample {
    pub(crate) fn rate(&self) -> f64 {
        self.records as f64 / self.seconds
    }

    pub(crate) fn p99_ms(&self) -> f64 {
        self.latency.map_or(f64::NAN, |latency| latency.p99_ms)
    }

    /// A figure by its name; not a number where it is missing.
    pub(crate) fn figure(&self, name: &str) -> f64 {
        self.figures.get(name).copied().unwrap_or(f64::NAN)
    }

    /// All of them for a line of progress.
    pub(crate) fn figures_text(&self) -> String {
        let figures = self.figures.iter();
        figures
            .map(|(name, value)| format!(", {name} {value:.1}"))
            .collect()
    }

    pub(crate) fn with(mut self, name: &str, figure: f64) -> Self {
        self.figures.insert(name.to_owned(), figure);
        self
    }
}

/// The measured runs of one variant.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) variant: Variant,
    pub(crate) samples: Vec<Sample>,
}

impl Series {
    /// The median over the runs of whatever `of` reads from each.
    pub(crate) fn median(&self, of: impl Fn(&Sample) -> f64) -> f64 {
        median(self.samples.iter().map(of))
    }

    pub(crate) fn rate(&self) -> f64 {
        self.median(Sample::rate)
    }
}

/// The median; of an even number the mean of the two in the middle. Not a number for none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median([]).is_nan());
    }
}
