//! The locks of one crate, as files.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::declaration::Declaration;
use super::file::{LockError, file_name};
use super::model::Contract;
use super::review::review;
use crate::company::{Finding, Severity};

/// The directory of a crate's locks.
const DIRECTORY: &str = "contracts";

/// Reads a lock; none if there is no such file.
///
/// # Errors
///
/// [`LockError`], which names the file and the remedy.
pub fn read_lock(file: &Path) -> Result<Option<Contract>, LockError> {
    let name = file.display().to_string();
    match fs::read(file) {
        Ok(content) => Contract::read(&name, &content).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(LockError::Unreadable { file: name, source }),
    }
}

impl Declaration {
    /// Reads its lock, if it has one. `directory` is the crate's.
    ///
    /// # Errors
    ///
    /// [`LockError`]: also where the option `lock` names a file that is not there, or that of another event.
    pub fn read_lock(&self, directory: &Path) -> Result<Option<Contract>, LockError> {
        let file = self.lock_file(directory);
        match read_lock(&file)? {
            Some(contract) if contract.event != self.event => Err(LockError::OfAnother {
                file: file.display().to_string(),
                found: contract.event,
                event: self.event.clone(),
            }),
            found => Ok(found),
        }
    }
}

/// Compares events of the crate in `directory` with their locks; an event without one is a note.
pub fn check_events(directory: &Path, declared: &[Declaration]) -> Vec<Finding> {
    let one = |declared: &Declaration| match declared.read_lock(directory) {
        Ok(Some(contract)) => review(declared, &contract),
        Ok(None) => vec![
            Finding::note(
                "no-lock",
                format!("{}: nothing is locked of it", declared.event),
                "run `contracts lock`, and commit what it writes",
            )
            .event(&declared.event)
            .at(&declared.location),
        ],
        Err(error) => vec![
            error
                .finding()
                .event(&declared.event)
                .at(&declared.location),
        ],
    };
    declared.iter().flat_map(one).collect()
}

/// Looks in `shelf`, a directory of locks, for those whose event nobody declares any more. `used` are the files of the
/// events that are declared.
pub fn check_strangers(
    shelf: &Path,
    declared: &[Declaration],
    used: &BTreeSet<PathBuf>,
) -> Vec<Finding> {
    let stranger = |file: &PathBuf| match read_lock(file) {
        Ok(Some(contract)) => {
            let known = declared.iter().find(|known| known.event == contract.event);
            Some(match known {
                Some(known) => misplaced(known, file),
                None => deleted(&contract, file),
            })
        }
        Ok(None) => None,
        Err(error) => Some(error.finding()),
    };
    let files = locks_in(shelf)
        .into_iter()
        .filter(|file| !used.contains(file));
    files.filter_map(|file| stranger(&file)).collect()
}

/// The files in a directory of locks, sorted.
pub fn locks_in(shelf: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(shelf).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|of| of == "json"))
        .collect();
    files.sort();
    files
}

fn deleted(contract: &Contract, file: &Path) -> Finding {
    let (event, file) = (&contract.event, file.display());
    let numbers: Vec<_> = contract
        .released()
        .map(|of| of.version.to_string())
        .collect();
    if numbers.is_empty() {
        let text =
            format!("{event}: {file} holds a draft alone, and no linked crate declares the event");
        return Finding::warning("deleted", text, "delete the file").event(event);
    }
    Finding::error(
        "deleted",
        format!(
            "{event}: no linked crate declares it any more, and {file} says that version {} was released: its readers \
             wait for it, and its records may still lie in a topic",
            numbers.join(", ")
        ),
        format!(
            "bring the type back, or, where it is called otherwise now, say `renamed_from = \"{event}\"` there; once no \
             service reads or writes it, delete the file"
        ),
    )
    .event(event)
}

fn misplaced(known: &Declaration, file: &Path) -> Finding {
    Finding::error(
        "misplaced-lock",
        format!(
            "{} is a lock of {}, which does not look for it there, but for {}",
            file.display(),
            known.event,
            known
                .lock
                .clone()
                .unwrap_or_else(|| file_name(&known.event)),
        ),
        "keep the one that is in version control, under the name that the event looks for",
    )
    .event(&known.event)
}

/// What the generated test does: all errors between the events and the locks of the crate in `directory`, as text.
///
/// # Errors
///
/// The findings that are errors; notes and drafts are for `contracts check`.
#[doc(hidden)]
pub fn keep(directory: &str, package: &str) -> Result<(), String> {
    let directory = Path::new(directory);
    let linked = Declaration::linked();
    let own: Vec<_> = linked
        .into_iter()
        .filter(|declared| declared.package == package)
        .collect();
    let mut findings = check_events(directory, &own);
    let shelf = directory.join(DIRECTORY);
    let used = own.iter().map(|event| event.lock_file(directory)).collect();
    let mut strangers = check_strangers(&shelf, &own, &used);
    // Beside a workspace's top there may be locks of other crates, which are not linked here: their sources name the event.
    if !strangers.is_empty() && has_members(directory) {
        let sources = Sources::below(directory);
        strangers.retain(|finding| {
            let event = finding.event.as_deref();
            event.is_none_or(|event| !sources.name(event))
        });
    }
    findings.extend(strangers);
    findings.retain(|finding| finding.severity == Severity::Error);
    if findings.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = findings
        .iter()
        .map(|finding| format!("  {finding}\n"))
        .collect();
    let prefix = format!("{}{}", directory.display(), std::path::MAIN_SEPARATOR);
    Err(format!("\n{}", lines.concat()).replace(&prefix, ""))
}

fn has_members(directory: &Path) -> bool {
    fs::read_to_string(directory.join("Cargo.toml")).is_ok_and(|text| {
        text.lines()
            .any(|line| line.trim_start().starts_with("members"))
    })
}

/// The text of all Rust sources of a workspace.
struct Sources(Vec<String>);

impl Sources {
    fn below(directory: &Path) -> Self {
        let mut sources = Self(Vec::new());
        sources.gather(directory, SOURCES_DEPTH);
        sources
    }

    fn gather(&mut self, directory: &Path, depth: usize) {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            let hidden = |name: &str| name.starts_with('.') || name == "target";
            let name = path.file_name().and_then(|name| name.to_str());
            if name.is_none_or(hidden) || path.is_symlink() {
                continue;
            }
            if path.is_dir() && depth > 0 {
                self.gather(&path, depth - 1);
            } else if path.extension().is_some_and(|of| of == "rs") {
                self.0.extend(fs::read_to_string(&path));
            }
        }
    }

    /// Whether the name stands in any of them, as a word.
    fn name(&self, event: &str) -> bool {
        let inside = |edge: Option<char>| edge.is_some_and(|of| of.is_alphanumeric() || of == '_');
        self.0.iter().any(|text| {
            text.match_indices(event).any(|(at, found)| {
                !inside(text[..at].chars().next_back())
                    && !inside(text[at + found.len()..].chars().next())
            })
        })
    }
}

/// No source lies further below a workspace's top.
const SOURCES_DEPTH: usize = 16;

/// Generates the one test of a crate that compares its events with their locks, `contracts_are_kept`.
///
/// The compiler compares what it sees of an event: the names of types. This test compares full schemas: what aliases,
/// nested types and serde's attributes say. It also names locks in `contracts/` whose event the crate declares no more.
/// An event without a lock passes, and so does a draft. It needs no network, and works in a published crate whose package
/// holds `contracts/`.
///
/// One line where all of the crate's events are linked: in the library, or in `tests/`.
///
/// # Examples
///
/// ```
/// events_core::contracts_test!();
/// ```
#[macro_export]
macro_rules! contracts_test {
    () => {
        #[cfg(test)]
        #[test]
        fn contracts_are_kept() {
            if let ::core::result::Result::Err(findings) = $crate::contract::keep(
                ::core::env!("CARGO_MANIFEST_DIR"),
                ::core::env!("CARGO_PKG_NAME"),
            ) {
                ::core::panic!("{findings}");
            }
        }
    };
}
