//! `parked take-over`: gives a claim up that keeps a group from its parked log.
//!
//! Lanes overrule claims of groups that are gone, but for one that none can outrank. Giving a claim up lets any claim count from
//! there on; the lanes claim again as they read it. Without `--force` only claims are given up that are seen to keep
//! a group out which has committed nothing; with it whatever stands there.

use events_core::{Outgoing, Result};
use serde_json::json;

use super::book::{Book, InForce};
use super::{names, survey};
use crate::cli::audit::{Audit, confirm};
use crate::cli::output::{print, print_json};
use crate::cli::site::Site;

/// Which claims are given up.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) topic: String,
    /// All if empty.
    pub(super) partitions: Vec<i32>,
    pub(super) force: bool,
}

impl Claims {
    fn of<'a>(&self, book: &'a Book) -> Vec<InForce<'a>> {
        let mut claims: Vec<_> = match self.force {
            true => book.in_force().collect(),
            false => book.outranking().collect(),
        };
        claims.retain(|claim| {
            self.partitions.is_empty() || self.partitions.contains(&claim.partition)
        });
        claims
    }
}

pub(super) async fn take_over(
    site: &Site,
    meant: &Claims,
    audit: &Audit,
    yes: bool,
    json: bool,
) -> Result<()> {
    let topic = meant.topic.as_str();
    let books = survey::books(site, Some(topic), std::iter::once(topic)).await?;
    let claims: Vec<_> = books.iter().flat_map(|book| meant.of(book)).collect();
    if !claims.is_empty() {
        confirm(&question(meant, &claims), yes)?;
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
        let given_up = |claim: &InForce<'_>| {
            let InForce {
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
    print(&text(meant, claims.len()))
}

fn text(meant: &Claims, count: usize) -> String {
    let topic = &meant.topic;
    match (count, meant.force) {
        (0, true) => format!("nothing to take over: no claim is in force in `{topic}`"),
        (0, false) => format!(
            "nothing to take over: no claim in `{topic}` stands in the way of a later one of a group that has committed nothing; `--force` gives up the claims that are in force, whatever they are"
        ),
        (count, force) => {
            let mut text = format!(
                "{count} claims were given up; lanes that were kept from their parked logs claim them again"
            );
            if force {
                text += ". Restart members whose status says that another member has claimed the parked log";
            }
            text
        }
    }
}

fn question(meant: &Claims, claims: &[InForce<'_>]) -> String {
    let told = claims.iter().map(|claim| {
        let outranked = claim.outranked.map_or_else(String::new, |outranked| {
            format!(", which keeps one of generation {outranked} from counting")
        });
        format!(
            "\n  partition {}: the claim of generation {}{outranked}",
            claim.partition, claim.generation
        )
    });
    let condition = match meant.force {
        true => {
            "From then on any claim counts, also of a process that has lost the partition. Is none left that ran before?"
        }
        false => {
            "Was the group deleted, or has it expired, and is no process left that ran before?"
        }
    };
    format!(
        "{condition} Then give up in `{}`{}?",
        meant.topic,
        told.collect::<String>()
    )
}

fn action(claim: &InForce<'_>, audit: &Audit) -> Outgoing {
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
    use super::super::samples;
    use super::*;
    use crate::cli::headers::headers;
    use crate::cli::letters::samples::Sample;
    use crate::reader::Committed;

    fn meant(force: bool, partitions: &[i32]) -> Claims {
        Claims {
            topic: "shipping.parked.orders".to_owned(),
            partitions: partitions.to_vec(),
            force,
        }
    }

    fn book(hint: Option<&str>, facts: &[Sample]) -> Book {
        let mut book = Book::new();
        let hint = hint.map(|metadata| Committed {
            offset: 0,
            metadata: metadata.to_owned(),
        });
        book.begin(&"shipping.parked.orders".into(), 3, hint.as_ref());
        facts.iter().try_for_each(|fact| book.add(fact)).unwrap();
        book
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        let facts = [samples::claim(0, 500, "a"), samples::claim(1, 2, "b")];
        let book = book(None, &facts);
        let claims = meant(false, &[]).of(&book);
        let audit = Audit {
            actor: "ann".to_owned(),
            reason: None,
            time: "2026-01-31T13:00:00.000Z".to_owned(),
        };
        let action = action(&claims[0], &audit);
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
        let question = question(&meant(false, &[]), &claims);
        assert!(
            question.contains("generation 500, which keeps one of generation 2"),
            "{question}"
        );
    }

    #[test]
    fn by_force_whatever_is_in_force_is_given_up() {
        let tokens = |meant: &Claims, book: &Book| {
            let claims = meant.of(book).into_iter();
            claims
                .map(|claim| claim.token.to_owned())
                .collect::<Vec<_>>()
        };
        // A forged claim behind that of a group which has committed: it may as well be a zombie's
        // claim that does not count.
        let forged = [samples::claim(1, 900, "f"), samples::claim(2, 5, "b")];
        let book = book(Some("4:a"), &forged);
        assert!(tokens(&meant(false, &[]), &book).is_empty());
        assert!(text(&meant(false, &[]), 0).contains("--force"));
        assert_eq!(tokens(&meant(true, &[]), &book), ["f"]);
        assert_eq!(tokens(&meant(true, &[3, 4]), &book), ["f"]);
        assert!(tokens(&meant(true, &[4]), &book).is_empty());
        // Whatever stands there: also where no other claim was seen.
        let alone = self::book(None, &forged[..1]);
        assert_eq!(tokens(&meant(true, &[]), &alone), ["f"]);
        // What was given up already is not in force, nor is what the group cannot have made.
        let given_up = [
            forged[0].clone(),
            samples::take_over(2, "f"),
            samples::claim(3, i64::MAX, "g"),
        ];
        let book = self::book(None, &given_up);
        assert!(tokens(&meant(true, &[]), &book).is_empty());
    }
}
