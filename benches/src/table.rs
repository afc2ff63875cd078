//! A report as a person reads it on a terminal.

use comfy_table::{CellAlignment, Table};
use comfy_table::{TableStyle, presets};

use crate::report::{Report, Section};
use crate::sample::{Sample, Series};

/// The whole report.
pub(crate) fn of(report: &Report) -> String {
    let mut text = format!(
        "\n{}: {} runs of each, medians\n",
        report.benchmark.name(),
        report.runs
    );
    for section in &report.sections {
        text += &format!(
            "\n{}\n{}\n",
            section.title,
            grid(section, presets::UTF8_BORDERS_ONLY)
        );
    }
    for (name, value) in &report.figures {
        text += &format!("{name}: {value:.3}\n");
    }
    for goal in &report.goals {
        let word = if goal.is_met() { "met" } else { "missed" };
        text += &format!(
            "{}: {:.3} {}; the goal is {}: {word}\n",
            goal.name,
            goal.value,
            goal.meaning,
            goal.bound()
        );
    }
    for note in &report.notes {
        text += &format!("note: {note}\n");
    }
    text
}

/// The variants of a section, in whatever style.
pub(crate) fn grid(section: &Section, style: TableStyle) -> Table {
    let latencies = section
        .series
        .iter()
        .any(|series| series.samples.iter().any(|sample| sample.latency.is_some()));
    let mut header = vec![
        "",
        "records/s",
        "slowest–fastest",
        "processor s",
        "µs/record",
        "peak MiB",
    ];
    if latencies {
        header.extend(["p50 ms", "p99 ms"]);
    }
    let mut table = Table::new();
    table.load_style(style).set_header(header);
    for series in &section.series {
        table.add_row(row(series, latencies));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(series: &Series, latencies: bool) -> Vec<String> {
    let rates = || series.samples.iter().map(Sample::rate);
    let (slowest, fastest) = (
        rates().fold(f64::INFINITY, f64::min),
        rates().fold(0.0, f64::max),
    );
    let mut row = vec![
        series.variant.name().to_owned(),
        thousands(series.rate()),
        format!("{}–{}", thousands(slowest), thousands(fastest)),
        format!("{:.2}", series.median(|sample| sample.cpu_seconds)),
        format!(
            "{:.2}",
            series.median(|sample| sample.cpu_seconds * 1e6 / sample.records as f64)
        ),
        format!("{:.0}", series.median(|sample| sample.peak_mib)),
    ];
    if latencies {
        let latency = |of: fn(&crate::sample::Latency) -> f64| {
            format!(
                "{:.2}",
                series.median(|sample| sample.latency.as_ref().map_or(f64::NAN, of))
            )
        };
        row.extend([
            latency(|latency| latency.p50_ms),
            latency(|latency| latency.p99_ms),
        ]);
    }
    row
}

/// A whole number with a comma at each thousand.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::thousands;

    #[test]
    fn thousands_are_set_apart() {
        let texts: Vec<_> = [0.0, 999.4, 1_000.0, 1_234_567.0]
            .into_iter()
            .map(thousands)
            .collect();
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
