//! Prometheus' text format, with names as OpenTelemetry maps them: dots become underscores, units and `total` a suffix.

use std::fmt::Write;

use metrics::{Label, Unit};

use crate::recorder::BOUNDS;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

pub(crate) enum Value {
    Count(u64),
    Number(f64),
    Buckets {
        counts: [u64; BOUNDS.len() + 1],
        sum: f64,
    },
}

/// All series of a name.
pub(crate) struct Family<'a> {
    name: String,
    kind: Kind,
    help: &'a str,
}

impl<'a> Family<'a> {
    pub(crate) fn new(name: &str, kind: Kind, unit: Option<Unit>, help: &'a str) -> Self {
        let mut name = sanitized(name);
        let unit = match unit {
            Some(Unit::Seconds) => "_seconds",
            Some(Unit::Bytes) => "_bytes",
            _ => "",
        };
        if !name.ends_with(unit) {
            name.push_str(unit);
        }
        if kind == Kind::Counter && !name.ends_with("_total") {
            name.push_str("_total");
        }
        Self { name, kind, help }
    }

    pub(crate) fn head(&self, text: &mut String) {
        let name = &self.name;
        if !self.help.is_empty() {
            let help = self.help.replace('\\', "\\\\").replace('\n', "\\n");
            let _ = writeln!(text, "# HELP {name} {help}");
        }
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        // Writing to a string does not fail; so below.
        let _ = writeln!(text, "# TYPE {name} {kind}");
    }

    pub(crate) fn line(&self, labels: &str, value: &Value, text: &mut String) {
        let name = &self.name;
        let braced = match labels {
            "" => String::new(),
            labels => format!("{{{labels}}}"),
        };
        match value {
            Value::Count(count) => {
                let _ = writeln!(text, "{name}{braced} {count}");
            }
            Value::Number(number) => {
                let _ = writeln!(text, "{name}{braced} {number}");
            }
            Value::Buckets { counts, sum } => {
                let comma = if labels.is_empty() { "" } else { "," };
                let mut below = 0;
                for (place, count) in counts.iter().enumerate() {
                    below += count;
                    let bound = BOUNDS
                        .get(place)
                        .map_or_else(|| "+Inf".to_owned(), ToString::to_string);
                    let _ = writeln!(
                        text,
                        "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {below}"
                    );
                }
                let _ = writeln!(text, "{name}_sum{braced} {sum}");
                let _ = writeln!(text, "{name}_count{braced} {below}");
            }
        }
    }
}

/// Labels as they stand between the braces.
pub(crate) fn labels<'a>(labels: impl Iterator<Item = &'a Label>) -> String {
    let written = labels.map(|label| {
        let value = label
            .value()
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        format!("{}=\"{value}\"", sanitized(label.key()))
    });
    written.collect::<Vec<_>>().join(",")
}

fn sanitized(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut name: String = name
        .chars()
        .map(|c| if allowed(c) { c } else { '_' })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}
