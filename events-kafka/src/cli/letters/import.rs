//! `dead-letters import`: letters from lines of JSON.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use events_core::{Error, Result};
use serde_json::json;

use super::arguments::Which;
use super::discard;
use super::letter::{Letter, Outcome};
use super::line::Line;
use super::resolution::{Beside, resolution};
use super::survey;
use crate::cli::audit::Audit;
use crate::cli::fit;
use crate::cli::output::{print, print_json};
use crate::cli::place::Place;
use crate::cli::site::Site;

/// Most bytes of a file: it is looked at as a whole before anything is written.
const MOST: u64 = 256 << 20;
/// Faults that are listed.
const LISTED: usize = 20;

/// What becomes of a line.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// A letter that is not open here.
    New,
    /// A letter that is open, with another payload.
    Edit(Vec<u8>),
    /// A letter that is open just so.
    Same,
}

pub(super) async fn import(
    site: &Site,
    file: &Path,
    topic: Option<String>,
    audit: Audit,
    json: bool,
) -> Result<()> {
    let lines = parse(&read(file)?).map_err(|faults| refused(&faults))?;
    let (mut reader, found) = survey::open(site, Which::default()).await?;
    let open: HashMap<String, Letter> = found
        .open
        .into_iter()
        .map(|letter| (letter.id.to_string(), letter))
        .collect();
    // What stands in a letter's own payload is needed only where a line names it.
    let mut payloads = HashMap::new();
    let named = lines
        .iter()
        .filter_map(|line| Some(&open.get(&line.id)?.id));
    let places: Vec<Place> = named.cloned().collect();
    survey::again(&mut reader, places.iter(), async |place, record| {
        payloads.insert(place.to_string(), record.value().map(<[u8]>::to_vec));
        Ok(())
    })
    .await?;
    let mut faults = Vec::new();
    let mut steps = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let step = step(line, open.get(&line.id), &payloads).and_then(|step| {
            check(site, line, &step)?;
            let to = destination(site, line, topic.as_deref(), |name| {
                reader.partitions(name).is_some()
            })?;
            Ok((step, to))
        });
        match step {
            Ok(step) => steps.push(step),
            Err(why) => faults.push(format!("line {}: {why}", number + 1)),
        }
    }
    if !faults.is_empty() {
        return Err(refused(&faults));
    }
    let counts = write(site, &lines, &steps, &open, &audit).await?;
    let [new, edited, same] = counts;
    if json {
        return print_json(&json!({ "new": new, "edited": edited, "same": same }));
    }
    print(&format!(
        "{new} new, {edited} edited, {same} open already and left as they are"
    ))
}

fn read(file: &Path) -> Result<String> {
    let mut text = String::new();
    let taken = if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(MOST + 1)
            .read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|file| file.take(MOST + 1).read_to_string(&mut text))
    };
    let name = file.display();
    let bytes = taken.map_err(|error| Error::msg(format!("`{name}` cannot be read: {error}")))?;
    if bytes as u64 > MOST {
        return Err(Error::msg(format!(
            "`{name}` is larger than 256 MiB: split it by lines"
        )));
    }
    Ok(text)
}

fn parse(text: &str) -> Result<Vec<Line>, Vec<String>> {
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(line) {
            Ok(line) => lines.push(line),
            Err(error) => faults.push(format!("line {}: {error}", number + 1)),
        }
    }
    if faults.is_empty() {
        return Ok(lines);
    }
    Err(faults)
}

fn refused(faults: &[String]) -> Error {
    let mut text = format!("nothing was imported; faults: {}", faults.len());
    for fault in faults.iter().take(LISTED) {
        text += &format!("\n  {fault}");
    }
    Error::msg(text)
}

/// What becomes of a line.
fn step(
    line: &Line,
    open: Option<&Letter>,
    payloads: &HashMap<String, Option<Vec<u8>>>,
) -> Result<Step, String> {
    let Some(letter) = open else {
        return Ok(Step::New);
    };
    let value = line
        .value
        .as_ref()
        .map(|value| value.decode())
        .transpose()?;
    let own = payloads.get(&line.id).and_then(Option::as_deref);
    match value {
        Some(value) if letter.edited.as_deref().or(own) != Some(&*value) => match &letter.requested
        {
            None => Ok(Step::Edit(value)),
            Some(mark) => Err(format!(
                "the redrive of `{}` was asked for at {} by {}, so that an edit would come too late",
                line.id, mark.time, mark.actor
            )),
        },
        _ => Ok(Step::Same),
    }
}

/// A payload that was changed must fit its type.
fn check(site: &Site, line: &Line, step: &Step) -> Result<(), String> {
    let edited = line.edited()?;
    let changed = match step {
        Step::Edit(value) => Some(value),
        Step::New => edited.as_ref(),
        Step::Same => None,
    };
    let Some(changed) = changed else {
        return Ok(());
    };
    let version = line.version()?;
    match fit::of(
        &site.registry,
        line.event.as_deref(),
        version,
        Some(changed),
    ) {
        Some(fit) if !fit.complaints.is_empty() => {
            Err(format!("the payload: {}", fit.complaints.join("; ")))
        }
        _ => Ok(()),
    }
}

/// The topic that a new letter is written to.
fn destination(
    site: &Site,
    line: &Line,
    named: Option<&str>,
    exists: impl Fn(&str) -> bool,
) -> Result<String, String> {
    let topic = match (named, &line.handler) {
        (Some(topic), _) => topic.to_owned(),
        (None, Some(handler)) => site.handler(handler)?.0.plan.dead_letters.clone(),
        (None, None) => return Err("it names no handler: say --topic".to_owned()),
    };
    if exists(&topic) {
        return Ok(topic);
    }
    Err(format!(
        "there is no topic `{topic}`: make it, or say another by --topic"
    ))
}

/// Answers how many letters are new, edited, and left.
async fn write(
    site: &Site,
    lines: &[Line],
    steps: &[(Step, String)],
    open: &HashMap<String, Letter>,
    audit: &Audit,
) -> Result<[usize; 3]> {
    let mut counts = [0; 3];
    let writer = site.writer()?;
    let mut receipts = Vec::new();
    let mut written = Vec::new();
    for (line, (step, topic)) in lines.iter().zip(steps) {
        match (step, open.get(&line.id)) {
            (Step::New, _) | (Step::Edit(_), None) => {
                counts[0] += 1;
                let record = line.record(topic).map_err(Error::msg)?;
                let receipt = writer.append("the letter", &record).await?;
                let edited = line.edited().map_err(Error::msg)?;
                written.push((receipt, topic, record, edited));
            }
            (Step::Edit(value), Some(letter)) => {
                counts[1] += 1;
                let beside = discard::beside(site, letter, None)?;
                let (key, edited) = (letter.key.as_deref(), Outcome::Edited);
                let record = resolution(&beside, &letter.id, key, edited, audit, Some(value));
                receipts.push(writer.append("the edit", &record).await?);
            }
            (Step::Same, _) => counts[2] += 1,
        }
    }
    for (receipt, topic, record, edited) in written {
        let written = receipt.await?;
        let topic: Arc<str> = topic.as_str().into();
        let id = Place::new(Arc::clone(&topic), written.partition, written.offset);
        let beside = Beside::the(&id, &topic);
        let ours = site
            .groups
            .iter()
            .any(|group| group.plan.dead_letters == *topic);
        // Who brought it; what others read must hold nothing that they do not know.
        if ours {
            let note = resolution(&beside, &id, record.key(), Outcome::Imported, audit, None);
            receipts.push(writer.append("the note", &note).await?);
        }
        if let Some(edited) = edited {
            let (key, value) = (record.key(), Some(&*edited));
            let edit = resolution(&beside, &id, key, Outcome::Edited, audit, value);
            receipts.push(writer.append("the edit", &edit).await?);
        }
    }
    for receipt in receipts {
        receipt.await?;
    }
    writer.close().await;
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::super::book::Book;
    use super::super::filter::Filter;
    use super::super::samples::{ours, resolution};
    use super::*;
    use crate::cli::bytes::Bytes;

    fn open(asked: bool) -> Letter {
        let mut book = Book::new(Filter::default(), None);
        book.add(&ours(7)).unwrap();
        if asked {
            let asked = resolution(8, "shipping.dead-letters/0/7", "redrive-requested");
            book.add(&asked).unwrap();
        }
        book.finish().open.remove(0)
    }

    #[test]
    fn a_line_is_new_or_an_edit_or_nothing() {
        let letter = open(false);
        let own = ours(7).value;
        let payloads = HashMap::from([(letter.id.to_string(), own)]);
        let mut line = Line::of(&ours(7), &letter);
        assert_eq!(step(&line, None, &payloads), Ok(Step::New));
        assert_eq!(step(&line, Some(&letter), &payloads), Ok(Step::Same));
        line.value = Some(Bytes::of(b"{}"));
        assert_eq!(
            step(&line, Some(&letter), &payloads),
            Ok(Step::Edit(b"{}".to_vec()))
        );
        let said = step(&line, Some(&open(true)), &payloads).unwrap_err();
        assert!(said.contains("too late") && said.contains("ann"), "{said}");
    }

    #[test]
    fn all_lines_that_are_none_are_named_at_once() {
        let faults = parse("{\"id\":\"a/0/1\"}\n\n{\n[]").unwrap_err();
        assert_eq!(faults.len(), 2);
        assert!(faults[0].starts_with("line 3: ") && faults[1].starts_with("line 4: "));
    }
}
