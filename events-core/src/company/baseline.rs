//! What a change does to others.

use super::Company;
use super::contracts::differ;
use super::finding::Finding;
use super::uses::{Use, list, titles};
use crate::contract::Break;

pub(super) fn compare(before: &Company, after: &Company, findings: &mut Vec<Finding>) {
    let (old, new) = (before.uses(), after.uses());
    let gone = Use::default();
    for (event, was) in &old {
        let is = new.get(event).unwrap_or(&gone);
        unpublished(event, was, is, findings);
        unread(event, was, is, findings);
        altered(event, was, is, findings);
    }
}

/// The last publisher is gone, and readers stay.
fn unpublished(event: &str, was: &Use<'_>, is: &Use<'_>, findings: &mut Vec<Finding>) {
    if was.publishers.is_empty() || !is.publishers.is_empty() {
        return;
    }
    for reader in &is.readers {
        findings.push(
            Finding::error(
                "removal-breaks-reader",
                format!(
                    "{} published `{event}` and nobody does any more: this removal breaks `{}`",
                    list(&was.publishers),
                    reader.title()
                ),
                format!(
                    "publish `{event}` until `{}` has another way to learn of it and is deployed without this handler",
                    reader.service
                ),
            )
            .event(event)
            .handler(Some(reader)),
        );
    }
}

/// The last reader is gone, and publishers stay.
fn unread(event: &str, was: &Use<'_>, is: &Use<'_>, findings: &mut Vec<Finding>) {
    if was.readers.is_empty() || !is.readers.is_empty() || is.publishers.is_empty() {
        return;
    }
    let readers = titles(&was.readers);
    let message = format!(
        "{} handled `{event}` and nobody does any more, but {} still publishes it",
        list(&readers),
        list(&is.publishers)
    );
    let remedy = "keep a handler, or stop publishing it";
    let finding = if is.is_failure || was.is_failure {
        Finding::error("removal-leaves-failure", message, remedy)
    } else {
        Finding::warning("removal-leaves-event", message, remedy)
    };
    findings.push(finding.event(event).handler(is.emitters.first()));
}

/// It is still published, but otherwise.
fn altered(event: &str, was: &Use<'_>, is: &Use<'_>, findings: &mut Vec<Finding>) {
    let (Some(old), Some(new)) = (was.entry(), is.entry()) else {
        return;
    };
    if is.publishers.is_empty() {
        return;
    }
    let breaks = match titles(&is.readers) {
        readers if readers.is_empty() => String::new(),
        readers => format!(": this breaks {}", list(&readers)),
    };
    let mut found = |code, message: String, remedy: &str| {
        findings.push(
            Finding::error(code, message + &breaks, remedy)
                .event(event)
                .handler(is.readers.first()),
        );
    };
    if old.topic != new.topic {
        found(
            "topic-changed",
            format!(
                "`{event}` moves from topic `{}` to `{}`",
                old.topic, new.topic
            ),
            "a new topic is a new event type: keep the old one published until its readers have changed over",
        );
    }
    if old.key != new.key {
        found(
            "key-changed",
            format!(
                "the key of `{event}` changes from `{}` to `{}`, and with it what is kept in order",
                old.key.join(", "),
                new.key.join(", ")
            ),
            "give the event with the other key a name of its own",
        );
    }
    if new.version < old.version {
        found(
            "version-lowered",
            format!(
                "`{event}` goes back from version {} to {}",
                old.version, new.version
            ),
            "versions only rise: readers already have records of the higher one",
        );
    } else if new.version > old.version {
        let ahead = old.breaks(new.version, &new.schema);
        let behind = new.breaks(old.version, &old.schema);
        let first = |breaks: &[Break], reader: u32, writer: u32| {
            breaks.first().map(|found| {
                let at = if found.at.is_empty() { "the payload" } else { &found.at };
                format!(
                    "version {} of `{event}` breaks version {}: a reader of version {reader} cannot read what version {writer} writes: {at}: {}",
                    new.version, old.version, found.why
                )
            })
        };
        let broken = first(&ahead, old.version, new.version);
        if let Some(message) = broken.or_else(|| first(&behind, new.version, old.version)) {
            found(
                "breaking-version",
                message,
                "a version is for compatible change: declare a new event type, or keep the field and add an optional one",
            );
        }
    } else if differ(&old.schema, &new.schema) {
        found(
            "changed-without-version",
            format!(
                "the schema of `{event}` changes within version {}",
                new.version
            ),
            "raise its version if the change is compatible; a breaking change is a new event type",
        );
    }
}
