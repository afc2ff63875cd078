//! What is wrong between an event type and its lock.

use super::compare::{Break, reads};
use super::declaration::Declaration;
use super::model::{Contract, Version};
use crate::company::Finding;

/// Compares what a build declares with what was released of it, and with its draft.
pub fn review(declared: &Declaration, contract: &Contract) -> Vec<Finding> {
    let mut findings = review_released(declared, contract);
    if findings.is_empty() {
        findings.extend(draft(declared, contract));
    }
    let placed = |finding: Finding| finding.event(&declared.event).at(&declared.location);
    findings.into_iter().map(placed).collect()
}

/// Compares what a build declares with what was released of it alone.
pub fn review_released(declared: &Declaration, contract: &Contract) -> Vec<Finding> {
    let Declaration { event, written, .. } = declared;
    let now = written.version;
    let mut findings = Vec::new();
    if let Some(last) = contract.released().last().map(|last| last.version)
        && now < last
    {
        findings.push(Finding::error(
            "older-version",
            format!("{event}: version {last} was released, and this build writes version {now}"),
            format!("say `version = {last}`, or a higher one with a compatible change"),
        ));
    }
    if contract.changed_without_a_bump(written) {
        findings.push(no_bump(event, now));
        if let Some(known) = contract.version(now) {
            findings.extend(of_one_number(event, known, written));
        }
    }
    for breach in contract.breaches(written) {
        let named = |version: u32| match version {
            version if version == now => format!("version {version} (this build)"),
            version => format!("version {version} (released)"),
        };
        let (writer, reader) = (named(breach.writer), named(breach.reader));
        findings.push(broken(event, &breach.found, &writer, &reader));
    }
    let placed = |finding: Finding| finding.event(event).at(&declared.location);
    findings.into_iter().map(placed).collect()
}

/// What a version says now against what it said when it was released.
fn of_one_number(event: &str, known: &Version, written: &Version) -> Vec<Finding> {
    let number = written.version;
    let (then, now) = (
        format!("version {number} (as it was released)"),
        format!("version {number} (this build)"),
    );
    let ways = [(known, written, &then, &now), (written, known, &now, &then)];
    let all = ways.into_iter().flat_map(|(from, to, writer, reader)| {
        reads(&from.schema, &to.schema)
            .into_iter()
            .map(move |found| broken(event, &found, writer, reader))
    });
    all.collect()
}

fn no_bump(event: &str, number: u32) -> Finding {
    Finding::error(
        "no-bump",
        format!(
            "{event}: version {number} was released, and this build writes something else under that number"
        ),
        format!(
            "a compatible change needs a number of its own, `version = {}`; a breaking one, a new event type",
            number + 1
        ),
    )
}

fn broken(event: &str, found: &Break, writer: &str, reader: &str) -> Finding {
    let at = match found.at.as_str() {
        "" => "the payload",
        at => at,
    };
    Finding::error(
        found.rule.code(),
        format!(
            "{event}: {at}: {}; a reader of {reader} cannot read what a writer of {writer} may write",
            found.why
        ),
        found.rule.remedy(),
    )
}

fn draft(declared: &Declaration, contract: &Contract) -> Option<Finding> {
    let Declaration { event, written, .. } = declared;
    let number = written.version;
    match contract.version(number) {
        Some(known) if known.released => None,
        Some(known) if says_the_same(known, written) => Some(Finding::note(
            "draft",
            format!("{event}: version {number} is a draft and binds nobody"),
            "`contracts release` before the first service that writes it is deployed",
        )),
        Some(_) => Some(Finding::warning(
            "stale-draft",
            format!("{event}: the draft of version {number} is not what this build writes"),
            "run `contracts lock`, and commit what it writes",
        )),
        None => Some(Finding::warning(
            "stale-draft",
            format!("{event}: the lock does not hold version {number}, which this build writes"),
            "run `contracts lock`, and commit what it writes",
        )),
    }
}

/// Words for people do not count.
fn says_the_same(known: &Version, written: &Version) -> bool {
    known.fields == written.fields && known.fingerprint() == written.fingerprint()
}
