//! `dead-letters edit`: another payload for a letter.

use std::fs::{self, OpenOptions};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use events_core::{Error, EventDescriptor, Result};
use serde_json::json;

use super::arguments::Which;
use super::dialect::Dialect;
use super::discard;
use super::filter::Filter;
use super::letter::{Letter, Outcome};
use super::redrive::{absent_error, settled};
use super::resolution::resolution;
use super::survey;
use crate::cli::audit::Audit;
use crate::cli::bytes::{pretty, shown};
use crate::cli::fit;
use crate::cli::output::{ask, print, print_json};
use crate::cli::place::Place;
use crate::cli::site::Site;

pub(super) async fn edit(
    site: &Site,
    id: Place,
    handler: Option<&str>,
    audit: Audit,
    json: bool,
) -> Result<()> {
    let which = Which {
        topic: None,
        filter: Filter {
            id: vec![id.clone()],
            ..Filter::default()
        },
    };
    let (mut reader, found) = survey::open(site, which).await?;
    if let [resolution] = &*found.settled {
        return Err(Error::msg(format!("{id}: {}", settled(resolution).why)));
    }
    let [letter] = &*found.open else {
        return Err(absent_error(&[id]));
    };
    editable(letter).map_err(Error::msg)?;
    let mut own = None;
    survey::again(&mut reader, [&letter.id].into_iter(), async |_, record| {
        own = record.value().map(<[u8]>::to_vec);
        Ok(())
    })
    .await?;
    let payload = letter
        .edited
        .as_deref()
        .or(own.as_deref())
        .unwrap_or_default();
    if std::str::from_utf8(payload).is_err() {
        return Err(Error::msg(format!(
            "the payload of {id} is no text: export the letter, change its base64, import it"
        )));
    }
    let event = letter
        .event
        .as_deref()
        .and_then(|name| site.registry.event(name));
    if event.is_none() {
        tracing::warn!(
            "the letter's type is not known to this binary, so its payload is not compared with a schema"
        );
    }
    let before = pretty(payload);
    let Some(edited) = changed(&before, letter, event)? else {
        return print("nothing was changed");
    };
    let beside = discard::beside(site, letter, handler)?;
    let (key, value) = (letter.key.as_deref(), Some(edited.as_bytes()));
    let record = resolution(&beside, &letter.id, key, Outcome::Edited, &audit, value);
    let writer = site.writer()?;
    writer.append("the edit", &record).await?.await?;
    writer.close().await;
    if json {
        return print_json(&json!({ "edited": id, "actor": audit.actor, "time": audit.time }));
    }
    print(&format!(
        "{id} is edited; the original stays. Give it to its handler: dead-letters redrive --id {id}"
    ))
}

fn editable(letter: &Letter) -> Result<(), String> {
    if letter.emission {
        return Err(format!(
            "{} is an emission: redrive the letter of its record, which publishes it anew",
            letter.id
        ));
    }
    letter.too_late("an edit").map_or(Ok(()), Err)
}

/// The text as somebody left it; none if it is as it was.
fn changed(
    before: &str,
    letter: &Letter,
    event: Option<&'static EventDescriptor>,
) -> Result<Option<String>> {
    let sheet = Sheet::new(before)?;
    loop {
        sheet.edit()?;
        let after = fs::read_to_string(&sheet.0)?;
        if after.trim() == before.trim() {
            return Ok(None);
        }
        let found = faults(after.trim(), letter, event);
        if found.is_empty() {
            return Ok(Some(after.trim().to_owned()));
        }
        let name = letter.event.as_deref().unwrap_or("payload");
        let text = format!("this is no {name}:\n  {}", found.join("\n  "));
        if !again(&text)? {
            return Err(Error::msg(format!("{text}\nnothing was changed")));
        }
    }
}

/// What is wrong with an edited payload.
fn faults(text: &str, letter: &Letter, event: Option<&'static EventDescriptor>) -> Vec<String> {
    let Some(event) = event else {
        return Vec::new();
    };
    let registry = events_core::Registry {
        events: vec![event],
        ..Default::default()
    };
    let bytes = text.as_bytes();
    // It takes the place of the letter's own, whose version stays.
    let fit = fit::of(&registry, Some(event.name), letter.version, Some(bytes));
    let fit = fit.unwrap_or_default();
    let current = fit.current.as_deref().unwrap_or(bytes);
    let mut found = fit.complaints;
    // Letters of others have keys of their own making.
    if found.is_empty()
        && letter.dialect == Dialect::Events
        && let Ok(text) = std::str::from_utf8(current)
        && let Ok(encoded) = (event.encode_json)(text)
        && !event.key.is_empty()
        && encoded.key.as_deref().map(str::as_bytes) != letter.key.as_deref()
    {
        let known = letter.key.as_deref().map(|key| shown(key, 100));
        found.push(format!(
            "the key would be `{}` instead of `{}`, which is another order of records: leave {} as it is",
            encoded.key.unwrap_or_default(),
            known.unwrap_or_default(),
            event.key.join(", ")
        ));
    }
    found
}

fn again(text: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    let answer = ask(&format!("{text}\nEdit again? [Y/n]"))?;
    Ok(matches!(answer.as_str(), "" | "y" | "Y" | "yes"))
}

/// A file for the editor, which goes when it is dropped.
struct Sheet(PathBuf);

impl Sheet {
    fn new(text: &str) -> Result<Self> {
        let name = format!(
            "dead-letter-{}-{}.json",
            std::process::id(),
            crate::cli::moment::now()
        );
        let path = std::env::temp_dir().join(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            // A payload may hold secrets.
            options.mode(0o600);
        }
        let mut file = options.open(&path)?;
        let sheet = Self(path);
        writeln!(file, "{text}")?;
        Ok(sheet)
    }

    fn edit(&self) -> Result<()> {
        let known = ["VISUAL", "EDITOR"]
            .iter()
            .find_map(|name| std::env::var(name).ok());
        let editor = known
            .filter(|editor| !editor.trim().is_empty())
            .ok_or_else(|| {
                Error::msg(
                    "no editor is set: set EDITOR, or export the letter, change it and import it",
                )
            })?;
        run(&editor, &self.0)
    }
}

fn run(editor: &str, file: &Path) -> Result<()> {
    // An editor may have arguments, such as `code --wait`.
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or_default();
    let status = Command::new(program).args(words).arg(file).status();
    let failed =
        |why: String| Error::msg(format!("the editor `{editor}` {why}; nothing was changed"));
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(failed(format!("ended with {status}"))),
        Err(error) => Err(failed(format!("cannot be started: {error}"))),
    }
}

impl Drop for Sheet {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's own cleaning.
        let _ = fs::remove_file(&self.0);
    }
}
