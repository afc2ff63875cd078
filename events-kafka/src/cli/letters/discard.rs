//! `dead-letters discard`: letters are settled without their handlers.

use events_core::{Error, Result};
use serde_json::json;

use super::arguments::Which;
use super::letter::{Letter, Outcome};
use super::plan::Left;
use super::redrive::{absent_error, settled};
use super::resolution::{Beside, resolution};
use super::survey;
use crate::cli::audit::{Audit, confirm};
use crate::cli::output::{print, print_json};
use crate::cli::site::Site;

pub(super) async fn discard(
    site: &Site,
    which: Which,
    audit: Audit,
    yes: bool,
    json: bool,
) -> Result<()> {
    let (named, ids) = (which.filter.handler.clone(), which.filter.id.clone());
    let (_, found) = survey::open(site, which).await?;
    // The letter of an emission goes with that of its record; alone it would come back in the list.
    let records = found.open.iter().filter(|letter| !letter.emission);
    let (asked, letters) = sorted(records);
    let refused = asked.iter().find(|left| ids.contains(&left.id));
    if let Some(refused) = refused {
        return Err(Error::msg(refused.why.clone()));
    }
    let beside: Result<Vec<_>> = letters
        .iter()
        .map(|letter| beside(site, letter, named.as_deref()))
        .collect();
    let beside = beside?;
    if !letters.is_empty() {
        let what = match letters.len() {
            1 => format!("Discard {}?", letters[0].id),
            count => format!("Discard {count} letters?"),
        };
        confirm(&what, yes)?;
        let writer = site.writer()?;
        let mut receipts = Vec::with_capacity(letters.len());
        for (letter, beside) in letters.iter().zip(&beside) {
            let key = letter.key.as_deref();
            let record = resolution(beside, &letter.id, key, Outcome::Discarded, &audit, None);
            receipts.push(writer.append("the resolution", &record).await?);
        }
        for receipt in receipts {
            receipt.await?;
        }
        writer.close().await;
    }
    let mut left = asked;
    left.extend(found.settled.iter().map(settled));
    if json {
        let ids: Vec<_> = letters.iter().map(|letter| &letter.id).collect();
        print_json(&json!({ "discarded": letters.len(), "letters": ids, "left": left }))?;
    } else {
        let mut text = match letters.len() {
            0 => "nothing to discard".to_owned(),
            1 => "discarded 1 letter".to_owned(),
            more => format!("discarded {more} letters"),
        };
        for left in left {
            text += &format!("\n  {}: {}", left.id, left.why);
        }
        print(&text)?;
    }
    match &*found.absent {
        [] => Ok(()),
        absent => Err(absent_error(absent)),
    }
}

/// The letters whose redrive was asked for, which stay, and those that can be discarded.
fn sorted<'a>(letters: impl Iterator<Item = &'a Letter>) -> (Vec<Left>, Vec<&'a Letter>) {
    let (mut asked, mut free) = (Vec::new(), Vec::new());
    for letter in letters {
        match letter.too_late("a discard") {
            Some(why) => asked.push(Left {
                id: letter.id.clone(),
                why: why + "; if it fails again, `parked discard` throws the record away",
            }),
            None => free.push(letter),
        }
    }
    (asked, free)
}

/// Where a letter's resolution is written.
///
/// # Errors
///
/// Others wrote the letter, and it is not said whose group settles it.
pub(super) fn beside(site: &Site, letter: &Letter, named: Option<&str>) -> Result<Beside> {
    let mut ours = site.groups.iter().map(|group| &*group.plan.dead_letters);
    if let Some(topic) = ours.find(|topic| *topic == &*letter.id.topic) {
        return Ok(Beside::the(&letter.id, topic));
    }
    let group = match (named, &*site.groups) {
        (Some(name), _) => site.handler(name).map_err(Error::msg)?.0,
        (None, [only]) => only,
        (None, _) => {
            return Err(Error::msg(format!(
                "`{}` was written by others, and this binary has several groups: say --handler service/handler for whose dead letters take the note",
                letter.id
            )));
        }
    };
    Ok(Beside::the(&letter.id, &group.plan.dead_letters))
}

#[cfg(test)]
mod tests {
    use super::super::book::Book;
    use super::super::filter::Filter;
    use super::super::samples::{letter, resolution};
    use super::*;

    #[test]
    fn a_letter_stays_whose_redrive_was_asked_for() {
        let mut book = Book::new(Filter::default(), None);
        book.add(&letter(0, "a", 1)).unwrap();
        book.add(&letter(1, "b", 2)).unwrap();
        let asked = resolution(2, "shipping.dead-letters/0/0", "redrive-requested");
        book.add(&asked).unwrap();
        let open = book.finish().open;
        let (left, free) = sorted(open.iter());
        assert_eq!(
            free.iter()
                .map(|letter| letter.id.offset)
                .collect::<Vec<_>>(),
            [1]
        );
        assert_eq!(left.len(), 1);
        let why = &left[0].why;
        assert!(why.contains("by ann") && why.contains("too late"), "{why}");
    }
}
