//! A report as Markdown, and its place in benches/README.md.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use comfy_table::presets;

use crate::report::Report;
use crate::table::grid;

/// The report.
pub(crate) fn of(report: &Report) -> String {
    let machine = &report.machine;
    let mut text = format!("`{}`\n", report.command);
    for section in &report.sections {
        text += &format!(
            "\n{}:\n\n{}\n",
            section.title,
            grid(section, presets::ASCII_MARKDOWN)
        );
    }
    text += "\n| | found | goal | |\n|---|---:|---:|---|\n";
    for goal in &report.goals {
        let word = if goal.is_met() { "met" } else { "**missed**" };
        text += &format!(
            "| `{}`: {} | {:.3} | {} | {word} |\n",
            goal.name,
            goal.meaning,
            goal.value,
            goal.bound()
        );
    }
    for (name, value) in &report.figures {
        text += &format!("| `{name}` | {value:.3} | | |\n");
    }
    text.push('\n');
    for note in &report.notes {
        text += &format!("Note: {note}.\n");
    }
    text += &format!(
        "{} records, medians of {}; {}; {} cores ({}), {:.0} GiB, {}; {}; {}.\n",
        report.records,
        report.runs,
        report.broker,
        machine.cores,
        machine.processor,
        machine.memory_gib,
        machine.system,
        machine.client,
        machine.compiler
    );
    text
}

/// Puts the report between its marks.
pub(crate) fn put(report: &Report) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let name = report.benchmark.name();
    let replaced = replace(&readme, name, &of(report))
        .with_context(|| format!("{} has no marks for `{name}`", path.display()))?;
    fs::write(&path, replaced).with_context(|| format!("cannot write {}", path.display()))
}

fn replace(readme: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
    let (before, rest) = readme.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{text}{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn only_what_stands_between_the_marks_changes() {
        let readme = "a\n<!-- slow -->\nold\n<!-- /slow -->\nb\n";
        assert_eq!(
            replace(readme, "slow", "new\n").as_deref(),
            Some("a\n<!-- slow -->\nnew\n<!-- /slow -->\nb\n")
        );
        assert_eq!(replace(readme, "publish", "new\n"), None);
    }

    #[test]
    fn the_readme_has_marks_for_every_benchmark() {
        let readme = include_str!("../README.md");
        for benchmark in crate::benchmark::Benchmark::ALL {
            assert!(
                replace(readme, benchmark.name(), "").is_some(),
                "{}",
                benchmark.name()
            );
        }
    }
}
