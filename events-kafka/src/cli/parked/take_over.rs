//! `parked take-over`: gives a claim up that keeps a group from its parked log.
//!
//! Lanes overrule claims of groups that are gone, but for one that none can outrank. Giving a claim up lets any claim count from
//! there on; the lanes claim again as they read it.

use events_core::{Outgoing, Result};
use serde_json::json;

use super::book::{Book, Outranking};
use super::{names, survey};
use crate::cli::audit::{Audit, confirm};
use crate::cli::output::{print, print_json};
use crate::cli::site::Site;

pub(super) async fn take_over(
    site: &Site,
    topic: &str,
    audit: &Audit,
    yes: bool,
    json: bool,
) -> Result<()> {
    let books = survey::books(site, Some(topic), std::iter::once(topic)).await?;
    let claims: Vec<_> = books.iter().flat_map(Book::outranking).collect();
    if !claims.is_empty() {
        confirm(&question(topic, &claims), yes)?;
        let writer = site.writer()?;
        let mut receipts = Vec::with_capacity(claims.len());
        for claim in &claims {
            receipts.push(writer.append("the action", &action(claim, audit)).await?);
        }
        for receipt in receipts {
            receipt.await?;
        }
        writer.close().await;
    }
    if json {
        let given_up = |claim: &Outranking<'_>| {
            let Outranking {
                partition,
                generation,
                outranked,
                ..
            } = claim;
            json!({ "partition": partition, "generation": generation, "outranked": outranked })
        };
        let given_up: Vec<_> = claims.iter().map(given_up).collect();
        return print_json(&json!({ "action": "take-over", "topic": topic, "given_up": given_up }));
    }
    print(&match claims.len() {
        0 => format!(
            "nothing to take over: no claim in `{topic}` stands in the way of a later one of a group that has committed nothing"
        ),
        count => format!(
            "{count} claims were given up; the lanes that own the partitions claim them anew"
        ),
    })
}

fn question(topic: &str, claims: &[Outranking<'_>]) -> String {
    let told = claims.iter().map(|claim| {
        format!(
            "\n  partition {}: the claim of generation {}, before that of generation {}",
            claim.partition, claim.generation, claim.outranked
        )
    });
    format!(
        "Was the group deleted, or has it expired, and is no process left that ran before? Then give up in `{topic}`{}?",
        told.collect::<String>()
    )
}

fn action(claim: &Outranking<'_>, audit: &Audit) -> Outgoing {
    let mut action = Outgoing::new(claim.topic.to_owned());
    action.partition = Some(claim.partition);
    // Empty, but no tombstone.
    action.set_value(b"");
    for (name, value) in [
        (names::FACT, "action"),
        (names::ACTION, "take-over"),
        (names::TOKEN, claim.token),
        (names::GENERATION, &claim.generation.to_string()),
    ] {
        action.add_header(name, value);
    }
    audit.write(&names::AUDIT, &mut action);
    action
}

#[cfg(test)]
mod tests {
    use super::super::fact::Fact;
    use super::*;
    use crate::cli::headers::headers;
    use crate::cli::letters::samples::Sample;

    #[test]
    fn it_is_read_as_it_is_written() {
        let claim = Outranking {
            topic: "shipping.parked.orders",
            partition: 3,
            generation: 500,
            token: "a",
            outranked: 2,
        };
        let audit = Audit {
            actor: "ann".to_owned(),
            reason: None,
            time: "2026-01-31T13:00:00.000Z".to_owned(),
        };
        let action = action(&claim, &audit);
        assert_eq!(
            (action.partition, action.value()),
            (Some(3), Some(&b""[..]))
        );
        let sample = Sample::written(&action, 3, 9);
        let token = "a".to_owned();
        assert_eq!(
            Fact::read(&sample, &headers(&sample)),
            Some(Fact::TakeOver { token })
        );
        assert!(question("t", &[claim]).contains("generation 500, before that of generation 2"));
    }
}
