//! Runs what failed again, alone: a test that then passes is flaky, one that fails again is a failure.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// The most tests of one step that run again. More than these are broken, not flaky.
const MOST: usize = 5;

/// How a command runs a part of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// `cargo test`: the failed tests, one by one, in their targets.
    Cargo,
    /// A test binary of libtest: the failed tests, one by one.
    Binary,
    /// The fault bench: the failed scenarios.
    Scenarios,
    /// Only as a whole.
    Whole,
}

/// A test that failed, and passed when it ran again alone.
pub(crate) struct Flaky {
    pub(crate) what: String,
    /// What it wrote when it failed.
    pub(crate) text: String,
    pub(crate) log: PathBuf,
}

impl Again {
    /// What to append to the command for each run of a failed part; `None` if the failure is none of a single test:
    /// a build that fails, or too many tests.
    pub(super) fn runs(self, output: &str) -> Option<Vec<Vec<String>>> {
        let runs = match self {
            Self::Whole => vec![Vec::new()],
            Self::Scenarios => vec![vec![scenarios(output)?]],
            Self::Binary if crashed(output) => vec![Vec::new()],
            Self::Binary => one_by_one(&[], output),
            Self::Cargo => {
                let targets = targets(output);
                if targets.is_empty() {
                    return None;
                }
                let failed = output.matches("\ntest result: FAILED").count();
                if failed < failed_targets(output).len() {
                    vec![targets]
                } else {
                    one_by_one(&[&targets[..], &["--".to_owned()]].concat(), output)
                }
            }
        };
        (1..=MOST).contains(&runs.len()).then_some(runs)
    }
}

/// Whether a binary ended before it could say which test failed.
fn crashed(output: &str) -> bool {
    !output.lines().any(|line| line.starts_with("test result: "))
}

fn one_by_one(before: &[String], output: &str) -> Vec<Vec<String>> {
    let exact = |name: String| [before, &["--exact".to_owned(), name]].concat();
    failed_tests(output).into_iter().map(exact).collect()
}

/// What libtest lists below the last `failures:` of each binary.
fn failed_tests(output: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut listed: Option<Vec<&str>> = None;
    for line in output.lines() {
        if line == "failures:" {
            listed = Some(Vec::new());
        } else if line.starts_with("test result: ") {
            for name in listed.take().unwrap_or_default() {
                if !all.iter().any(|known| known == name) {
                    all.push(name.to_owned());
                }
            }
        } else if let (Some(names), Some(name)) = (&mut listed, line.strip_prefix("    ")) {
            names.push(name);
        }
    }
    all
}

/// What cargo says failed, once each: `-p events-kafka --test runtime`. It says so when a target fails and at the end.
fn failed_targets(output: &str) -> BTreeSet<&str> {
    let named = output.lines().filter_map(|line| {
        let line = line.trim();
        let rest = match line.split_once("to rerun pass ") {
            Some((_, rest)) => rest,
            None => line,
        };
        rest.strip_prefix("`-p ")?.strip_suffix('`')
    });
    named.collect()
}

/// The flags that choose these targets, without their packages: another choice of packages would be built anew.
fn targets(output: &str) -> Vec<String> {
    let mut flags: Vec<String> = Vec::new();
    for target in failed_targets(output) {
        let chosen: Vec<_> = target.split(' ').skip(1).map(str::to_owned).collect();
        if !flags
            .windows(chosen.len().max(1))
            .any(|known| known == chosen)
        {
            flags.extend(chosen);
        }
    }
    flags
}

/// The scenarios that failed, as the fault bench takes their names.
fn scenarios(output: &str) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for line in output.lines() {
        let Some((name, rest)) = line
            .strip_prefix('[')
            .and_then(|line| line.split_once("] "))
        else {
            continue;
        };
        let failed = rest.starts_with("FAILED") || rest.starts_with("VIOLATED");
        if failed && !names.contains(&name) {
            names.push(name);
        }
    }
    (1..=MOST).contains(&names.len()).then(|| names.join(","))
}

#[cfg(test)]
mod tests;
