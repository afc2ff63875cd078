//! Event types as a build declares them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::file::{LockError, file_name};
use super::model::{Contract, Version};
use crate::event::EventDescriptor;
use crate::registry::Registry;

/// An event type as a build declares it: what is compared with its lock.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// The name on the wire.
    pub event: String,
    /// The crate that declares it.
    pub package: String,
    /// Where, `file:line`.
    pub location: String,
    /// What the option `lock` says: the lock's path from the declaring file.
    pub lock: Option<String>,
    /// Whether the compiler was to compare it with its lock: `EVENTS_CONTRACTS` was not `off`.
    pub compared: bool,
    /// What it writes.
    pub written: Version,
}

impl Declaration {
    /// Of an event type.
    pub fn of(event: &EventDescriptor) -> Self {
        Self {
            event: event.name.to_owned(),
            package: event.package.to_owned(),
            location: event.location.to_owned(),
            lock: (!event.lock.is_empty()).then(|| event.lock.to_owned()),
            compared: event.switch != Some("off"),
            written: Version::of(event),
        }
    }

    /// Of all that are linked into this binary.
    pub fn linked() -> Vec<Self> {
        let registry = Registry::linked();
        registry.events.into_iter().map(Self::of).collect()
    }

    /// Several as JSON: how a program that links them tells another one.
    pub fn to_json(declarations: &[Self]) -> String {
        let one = |declared: &Self| {
            let mut contract = Contract::new(&declared.event);
            contract.draft(declared.written.clone());
            json!({
                "package": declared.package,
                "location": declared.location,
                "lock": declared.lock,
                "compared": declared.compared,
                "contract": contract.as_json(),
            })
        };
        Value::from_iter(declarations.iter().map(one)).to_string()
    }

    /// Reads what [`to_json`](Self::to_json) wrote; `from` says where it comes from, for errors.
    ///
    /// # Errors
    ///
    /// [`LockError`]: another version of this crate wrote it, or something else did.
    pub fn from_json(from: &str, text: &str) -> Result<Vec<Self>, LockError> {
        let malformed = |source| LockError::Malformed {
            file: from.to_owned(),
            source,
        };
        let all: Vec<Value> = serde_json::from_str(text).map_err(malformed)?;
        let one = |value: &Value| {
            let word = |name: &str| value[name].as_str().map(str::to_owned);
            let contract = value["contract"].to_string();
            let mut contract = Contract::read(from, contract.as_bytes())?;
            let written = contract
                .versions
                .pop()
                .ok_or_else(|| LockError::Inconsistent {
                    file: from.to_owned(),
                    fault: format!("{} has no version", contract.event),
                })?;
            Ok(Self {
                event: contract.event,
                package: word("package").unwrap_or_default(),
                location: word("location").unwrap_or_default(),
                lock: word("lock"),
                compared: value["compared"].as_bool().unwrap_or(true),
                written,
            })
        };
        all.iter().map(one).collect()
    }

    /// The file that declares it, if it is there. `directory` is the crate's, which holds its `Cargo.toml`.
    pub fn source(&self, directory: &Path) -> Option<PathBuf> {
        // The compiler says it from where it was started: the workspace's directory, or the crate's.
        let (file, _) = self.location.rsplit_once(':')?;
        let mut tops = directory.ancestors().map(|top| top.join(file));
        tops.find(|path| path.is_file())
    }

    /// The file of its lock: where `#[event]` finds it, or else where it belongs. `directory` is the crate's.
    ///
    /// `contracts/` of the crate, then of each directory above it up to the workspace's; a new one belongs to the crate.
    pub fn lock_file(&self, directory: &Path) -> PathBuf {
        if let Some(lock) = &self.lock {
            let source = self.source(directory);
            let beside = source.as_deref().and_then(Path::parent);
            return beside.unwrap_or(directory).join(lock);
        }
        let name = file_name(&self.event);
        let mut all = lock_directories(directory)
            .into_iter()
            .map(|directory| directory.join(&name));
        all.find(|path| path.is_file())
            .unwrap_or_else(|| directory.join("contracts").join(name))
    }
}

/// Where locks of a crate's events are looked for, in this order. `directory` is the crate's.
pub fn lock_directories(directory: &Path) -> Vec<PathBuf> {
    let top = directory
        .ancestors()
        .take(DEPTH)
        .position(|above| is_workspace(&above.join("Cargo.toml")));
    // A crate without a workspace, such as a published one, has nothing to look for above itself.
    let all = directory.ancestors().take(1 + top.unwrap_or_default());
    all.map(|above| above.join("contracts")).collect()
}

/// A workspace's top lies no further above a crate. `events-macros` looks as far.
const DEPTH: usize = 8;

fn is_workspace(manifest: &Path) -> bool {
    fs::read_to_string(manifest).is_ok_and(|text| text.lines().any(is_of_workspace))
}

/// Whether a line of a manifest begins the workspace's table, or one below it.
fn is_of_workspace(line: &str) -> bool {
    let table = line.trim_start().strip_prefix('[').map(str::trim_start);
    let rest = table.and_then(|table| table.strip_prefix("workspace"));
    rest.is_some_and(|rest| rest.trim_start().starts_with([']', '.']))
}
