//! What a command did and found.

use std::fmt::Write as _;

use events_core::company::{Finding, Severity};
use serde_json::{Value, json};

use crate::shelves::Shelves;

/// What a command did and found, as text and as JSON.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was done with each lock.
    pub(crate) changes: Vec<Change>,
    /// What is wrong, the worst first.
    pub(crate) findings: Vec<Finding>,
    /// A last line for people.
    pub(crate) summary: String,
    /// Whether warnings fail.
    pub(crate) strict: bool,
    /// The revision that was compared with.
    pub(crate) against: Option<String>,
    /// How many events were looked at.
    pub(crate) events: usize,
    /// Crates that were compiled without a comparison with their locks.
    pub(crate) uncompared: Vec<String>,
}

/// What was done with a lock.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) event: String,
    pub(crate) file: String,
    pub(crate) version: u32,
    pub(crate) what: &'static str,
}

impl Outcome {
    pub(crate) fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    pub(crate) fn of(mut self, shelves: &Shelves) -> Self {
        self.events = shelves.declared().len();
        for finding in &mut self.findings {
            finding.fault.message = shelves.shorten(&finding.fault.message);
            finding.fault.remedy = shelves.shorten(&finding.fault.remedy);
            let location = finding.location.take();
            finding.location = location.map(|place| shelves.shorten(&place));
        }
        self.findings.sort_by_key(|finding| finding.severity);
        let uncompared = shelves.declared().iter().filter(|event| !event.compared);
        self.uncompared = uncompared.map(|event| event.package.clone()).collect();
        self.uncompared.dedup();
        self
    }

    /// The status that the process ends with: 0, or 1 if something is wrong.
    pub fn status(&self) -> u8 {
        let failing = |severity| match severity {
            Severity::Error => true,
            Severity::Warning => self.strict,
            Severity::Note => false,
        };
        let mut findings = self.findings.iter();
        u8::from(findings.any(|finding| failing(finding.severity)))
    }

    /// What was found, the worst first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// For people.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for change in &self.changes {
            let written = writeln!(
                text,
                "{:<9} {} (version {})",
                change.what, change.file, change.version
            );
            debug_assert!(written.is_ok(), "a string takes everything");
        }
        for finding in &self.findings {
            let place = finding.location.as_deref().unwrap_or_default();
            let place = if place.is_empty() {
                String::new()
            } else {
                format!("    at: {place}\n")
            };
            text += &format!("{finding}\n{place}");
        }
        if !self.uncompared.is_empty() {
            text += &format!(
                "note: built with EVENTS_CONTRACTS=off: the compiler did not compare {} with its locks\n",
                self.uncompared.join(", ")
            );
        }
        text + &self.summary + "\n"
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        let changes = self.changes.iter().map(|change| {
            json!({
                "event": change.event,
                "version": change.version,
                "file": change.file,
                "change": change.what,
            })
        });
        json!({
            "events": self.events,
            "against": self.against,
            "locks": changes.collect::<Vec<_>>(),
            "findings": self.findings,
            "not_compared_by_the_compiler": self.uncompared,
            "status": self.status(),
        })
    }
}

/// How many of each severity.
pub(crate) fn counted(findings: &[Finding]) -> String {
    let of = |severity: Severity| {
        let count = findings
            .iter()
            .filter(|finding| finding.severity == severity);
        match count.count() {
            1 => format!("1 {severity}"),
            many => format!("{many} {severity}s"),
        }
    };
    let all = [Severity::Error, Severity::Warning, Severity::Note];
    all.map(of).join(", ")
}
