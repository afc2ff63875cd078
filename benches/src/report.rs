//! What a benchmark found.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::benchmark::Benchmark;
use crate::job::Variant;
use crate::machine::Machine;
use crate::sample::{Sample, Series};
use crate::session::Session;

/// What a benchmark found.
pub(crate) struct Report {
    pub(crate) benchmark: Benchmark,
    pub(crate) command: String,
    pub(crate) broker: &'static str,
    pub(crate) records: u64,
    pub(crate) runs: u32,
    pub(crate) sections: Vec<Section>,
    pub(crate) goals: Vec<Goal>,
    /// Figures beside the goals.
    pub(crate) figures: BTreeMap<&'static str, f64>,
    pub(crate) notes: Vec<String>,
    pub(crate) machine: Machine,
}

/// Variants that did the same work in turn.
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) series: Vec<Series>,
}

/// A figure and what it should be.
pub(crate) struct Goal {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) value: f64,
    bound: Bound,
}

enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    pub(crate) fn at_least(
        name: &'static str,
        meaning: &'static str,
        value: f64,
        bound: f64,
    ) -> Self {
        Self {
            name,
            meaning,
            value,
            bound: Bound::AtLeast(bound),
        }
    }

    pub(crate) fn at_most(
        name: &'static str,
        meaning: &'static str,
        value: f64,
        bound: f64,
    ) -> Self {
        Self {
            name,
            meaning,
            value,
            bound: Bound::AtMost(bound),
        }
    }

    pub(crate) fn is_met(&self) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => self.value >= bound,
            Bound::AtMost(bound) => self.value <= bound,
        }
    }

    /// The bound as a person reads it.
    pub(crate) fn bound(&self) -> String {
        match self.bound {
            Bound::AtLeast(bound) => format!("≥ {bound}"),
            Bound::AtMost(bound) => format!("≤ {bound}"),
        }
    }
}

impl Section {
    pub(crate) fn new(title: &str, series: Vec<Series>) -> Self {
        Self {
            title: title.to_owned(),
            series,
        }
    }

    /// The median of what `of` reads from the runs of a variant; not a number where it did not run.
    pub(crate) fn median(&self, variant: Variant, of: impl Fn(&Sample) -> f64) -> f64 {
        let series = self.series.iter().find(|series| series.variant == variant);
        series.map_or(f64::NAN, |series| series.median(of))
    }

    /// Our rate as a share of the fastest of `others`.
    pub(crate) fn rate_ratio(&self, others: &[Variant]) -> f64 {
        let others = others.iter().map(|other| self.median(*other, Sample::rate));
        self.median(Variant::Ours, Sample::rate) / others.fold(f64::NAN, f64::max)
    }
}

impl Report {
    pub(crate) fn new(benchmark: Benchmark, session: &Session, records: u64) -> Self {
        Self {
            benchmark,
            command: format!(
                "cargo xtask bench {}",
                std::env::args().skip(1).collect::<Vec<_>>().join(" ")
            ),
            broker: session.broker(),
            records,
            runs: session.runs(),
            sections: Vec::new(),
            goals: Vec::new(),
            figures: BTreeMap::new(),
            notes: Vec::new(),
            machine: Machine::here(),
        }
    }

    pub(crate) fn add(&mut self, section: Section, goal: Goal) {
        self.sections.push(section);
        self.goals.push(goal);
    }

    pub(crate) fn goal(&mut self, goal: Goal) {
        self.goals.push(goal);
    }

    pub(crate) fn figure(&mut self, name: &'static str, value: f64) {
        self.figures.insert(name, value);
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// One object: of a single report its own, of several their objects by name, and the share of all goals that are met
    /// as `ratio`.
    pub(crate) fn json(reports: &[Self]) -> Value {
        if let [report] = reports {
            return report.object();
        }
        let goals: Vec<_> = reports.iter().flat_map(|report| &report.goals).collect();
        let met = goals.iter().filter(|goal| goal.is_met()).count();
        let objects: Map<_, _> = reports
            .iter()
            .map(|report| (report.benchmark.name().to_owned(), report.object()))
            .collect();
        json!({ "ratio": met as f64 / goals.len() as f64, "benchmarks": objects })
    }

    fn object(&self) -> Value {
        let mut object = Map::new();
        for goal in &self.goals {
            object.insert(goal.name.to_owned(), json!(goal.value));
        }
        for (name, value) in &self.figures {
            object.insert((*name).to_owned(), json!(value));
        }
        let goals = self.goals.iter().map(|goal| {
            json!({ "name": goal.name, "meaning": goal.meaning, "bound": goal.bound(), "value": goal.value, "met": goal.is_met() })
        });
        object.insert("benchmark".to_owned(), json!(self.benchmark.name()));
        object.insert("command".to_owned(), json!(self.command));
        object.insert("records".to_owned(), json!(self.records));
        object.insert("runs".to_owned(), json!(self.runs));
        object.insert("goals".to_owned(), goals.collect());
        object.insert(
            "sections".to_owned(),
            self.sections.iter().map(Section::object).collect(),
        );
        object.insert("notes".to_owned(), json!(self.notes));
        object.insert("broker".to_owned(), json!(self.broker));
        object.insert("machine".to_owned(), json!(self.machine));
        Value::Object(object)
    }
}

impl Section {
    fn object(&self) -> Value {
        let variants = self.series.iter().map(|series| {
            json!({
                "variant": series.variant,
                "records_per_second": series.rate(),
                "seconds": series.median(|sample| sample.seconds),
                "cpu_seconds": series.median(|sample| sample.cpu_seconds),
                "peak_mib": series.median(|sample| sample.peak_mib),
                "runs": series.samples,
            })
        });
        json!({ "title": self.title, "variants": variants.collect::<Value>() })
    }
}
