//! `skip-batch`: a group goes on behind a batch that the client cannot unpack.
//!
//! A dead letter of each handler that reads the topic names the offsets before the group passes them.

use events_core::{Error, Outgoing, Result};
use events_runtime::{HandlerPlan, TopicPartition, dead_letter_header as names};
use serde_json::json;
use tokio::task::spawn_blocking;

use super::arguments::SkipBatch;
use super::audit::{Audit, AuditHeaders, confirm};
use super::output::{print, print_json};
use super::site::{Group, Site};
use crate::unreadable::{Passage, Unreadable};

/// Who skipped it, why and when.
const AUDIT: AuditHeaders = AuditHeaders {
    actor: names::ACTOR,
    reason: names::REASON,
    time: names::TIME,
};

pub(super) async fn skip_batch(site: &Site, asked: SkipBatch, json: bool) -> Result<()> {
    let partition = TopicPartition::new(asked.topic, asked.partition);
    let group = group(site, &partition.topic, asked.group.as_deref())?;
    let name = group.plan.group.as_str();
    let passage = Passage::of(&site.client, name, partition.clone());
    let (passage, found) = spawn_blocking(move || {
        let found = passage.look();
        (passage, found)
    })
    .await?;
    let Some(batch) = found? else {
        return Err(Error::msg(format!(
            "there is no batch to skip: what stands at the offset that group `{name}` has committed for {partition} can be read, or nothing is committed"
        )));
    };
    let Unreadable { from, to, reason } = &batch;
    confirm(
        &format!(
            "{reason}\nIs no member of group `{name}` running? Then let the group go on at offset {to} of {partition}: no handler gets the records from {from} to {}, which stay in the topic.",
            to - 1
        ),
        asked.yes,
    )?;
    // Brokers refuse it while the group has members: then no dead letter may say that something was skipped.
    let (from, to) = (*from, *to);
    let passage = spawn_blocking(move || passage.commit(from).map(|()| passage)).await??;
    let audit = asked.by.now();
    let writer = site.writer()?;
    for handler in group.plan.topics[&partition.topic].handlers.iter() {
        let letter = letter(
            &group.plan.dead_letters,
            handler,
            &partition,
            &batch,
            &audit,
        );
        writer.append("the dead letter", &letter).await?.await?;
    }
    writer.close().await;
    spawn_blocking(move || passage.commit(to)).await??;
    if json {
        return print_json(&json!({
            "group": name, "topic": partition.topic, "partition": partition.partition, "from": from, "to": to, "actor": audit.actor, "time": audit.time
        }));
    }
    print(&format!(
        "group `{name}` goes on at offset {to} of {partition}; dead letters name the offsets from {from} to {}",
        to - 1
    ))
}

/// The group that reads the topic.
fn group<'a>(site: &'a Site, topic: &str, named: Option<&str>) -> Result<&'a Group> {
    let reads = |group: &&Group| group.plan.topics.contains_key(topic);
    let mut found: Vec<_> = site.groups.iter().filter(reads).collect();
    found.retain(|group| named.is_none_or(|name| group.plan.group == name));
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Error::msg(format!(
            "no such group of this binary reads topic `{topic}`"
        ))),
        (Some(_), false) => Err(Error::msg(format!(
            "several groups of this binary read topic `{topic}`: say which, by --group"
        ))),
    }
}

/// The dead letter of a batch: it names the first offset as its origin, and the others in its error.
fn letter(
    topic: &str,
    handler: &HandlerPlan,
    partition: &TopicPartition,
    batch: &Unreadable,
    audit: &Audit,
) -> Outgoing {
    let mut letter = Outgoing::new(topic.to_owned());
    // Empty, but no tombstone.
    letter.set_value(b"");
    let error = format!(
        "the records from offset {} to {} were skipped by hand, since their batch cannot be unpacked: {}",
        batch.from,
        batch.to - 1,
        batch.reason
    );
    for (name, value) in [
        (names::KIND, "record"),
        (names::TOPIC, &partition.topic),
        (names::PARTITION, &partition.partition.to_string()),
        (names::OFFSET, &batch.from.to_string()),
        (names::HANDLER, &handler.stable_name),
        (names::ERROR, &error),
        (names::CODE, "UnreadableBatch"),
        (names::ATTEMPTS, "0"),
        (names::REFERENCE, "origin"),
    ] {
        letter.add_header(name, value);
    }
    audit.write(&AUDIT, &mut letter);
    letter
}
