//! What was released at a revision against what this build declares: a lock that was edited since hides nothing.

use std::path::{Path, PathBuf};

use events_core::Fault;
use events_core::company::{Finding, Severity};
use events_core::contract::{Contract, Declaration, read_lock, review_released};

use crate::error::LocksError;
use crate::git::Tree;
use crate::places::Places;
use crate::shelves::{Linked, Shelves};

pub(crate) fn changes(
    shelves: &Shelves,
    linked: &Linked,
    revision: &str,
    retired: &[String],
) -> Result<Vec<Finding>, LocksError> {
    let tree = Tree::at(shelves.root(), revision)?;
    let places = Places::of(shelves, linked, &tree)?;
    let mut findings = Vec::new();
    for (path, content) in tree.read(|path| places.may_hold(path))? {
        let base = match Contract::read(&path.display().to_string(), &content) {
            Ok(base) => base,
            Err(error) if places.are_looked_for(&path) && places.are_of_linked(&path) => {
                findings.push(unreadable(&error.finding(), revision));
                continue;
            }
            // It may have been anything.
            Err(_) => continue,
        };
        if !places.are_looked_for(&path) && is_kept(&base, &path) && !places.was_named(&path)? {
            continue;
        }
        let mut declared = shelves.declared().iter();
        match declared.find(|declared| declared.event == base.event) {
            Some(declared) => findings.extend(since(shelves, declared, &base, revision, &path)),
            None if retired.contains(&base.event) => {}
            None => findings.extend(undeclared(&base, revision, &path, &places)),
        }
    }
    findings.extend(outside(shelves));
    Ok(findings)
}

fn since(
    shelves: &Shelves,
    declared: &Declaration,
    base: &Contract,
    revision: &str,
    path: &Path,
) -> Vec<Finding> {
    let file = shelves.lock_file(declared);
    // One that cannot be read is told by the check of today's locks.
    let mut findings = match read_lock(&file) {
        Ok(now) => hidden(base, now.as_ref(), revision, path, &file),
        Err(_) => Vec::new(),
    };
    findings.extend(review_released(declared, base));
    for finding in &mut findings {
        finding.event = Some(declared.event.clone());
        finding.location = Some(declared.location.clone());
    }
    findings
}

/// Whether a file still says all that was released.
fn is_kept(base: &Contract, path: &Path) -> bool {
    let now = read_lock(path).ok().flatten();
    now.is_some_and(|now| {
        now.event == base.event && hidden(base, Some(&now), "", path, path).is_empty()
    })
}

/// The lock of an event that nobody declares who is linked.
fn undeclared(base: &Contract, revision: &str, path: &Path, places: &Places<'_>) -> Vec<Finding> {
    let mut findings = match read_lock(path) {
        Ok(Some(now)) if now.event == base.event => {
            let mut findings = hidden(base, Some(&now), revision, path, path);
            // What lies in a directory of locks is told by the check of today's.
            if findings.is_empty() && !places.are_looked_for(path) && places.are_of_linked(path) {
                findings.extend(gone(base, revision, path, "the type is not there any more"));
            }
            findings
        }
        Ok(_) if places.are_of_linked(path) => {
            let what = "neither the lock nor the type is there any more";
            gone(base, revision, path, what).into_iter().collect()
        }
        Ok(_) => Vec::new(),
        Err(error) => vec![error.finding()],
    };
    for finding in &mut findings {
        finding.event = Some(base.event.clone());
    }
    findings
}

/// Released versions that the lock holds no more, or holds with other words.
fn hidden(
    base: &Contract,
    now: Option<&Contract>,
    revision: &str,
    path: &Path,
    file: &Path,
) -> Vec<Finding> {
    let event = &base.event;
    let restore = format!(
        "services that run still go by what was released: `git checkout {revision} -- {}`, and make the change as a new \
         version or a new event type",
        path.display()
    );
    let one = |old: &events_core::contract::Version| {
        let number = old.version;
        let known = now.and_then(|now| now.version(number));
        let (code, what) = match known {
            None => ("lock-lost", "does not hold it any more".to_owned()),
            Some(known) if !known.released => ("lock-lost", "calls it a draft again".to_owned()),
            Some(known)
                if known.fingerprint() != old.fingerprint() || known.fields != old.fields =>
            {
                ("lock-rewritten", "says something else of it now".to_owned())
            }
            Some(_) => return None,
        };
        let message = format!(
            "{event}: version {number} was released at {revision}, and the lock {} {what}",
            file.display()
        );
        Some(error(code, message, restore.clone()))
    };
    base.released().filter_map(one).collect()
}

fn gone(base: &Contract, revision: &str, path: &Path, what: &str) -> Option<Finding> {
    let event = &base.event;
    let numbers: Vec<_> = base.released().map(|of| of.version.to_string()).collect();
    if numbers.is_empty() {
        return None;
    }
    let message = format!(
        "{event}: version {} was released at {revision}, in {}; {what}: readers of the event wait \
         for it, and its records may still lie in a topic",
        numbers.join(", "),
        path.display()
    );
    let remedy = format!(
        "bring it back; if no service reads or writes it any more, say `--retired {event}`"
    );
    Some(error("deleted", message, remedy))
}

fn unreadable(finding: &Finding, revision: &str) -> Finding {
    let message = format!("at {revision}: {}", finding.fault.message);
    let remedy = "compare with a revision at which the lock is whole";
    error(finding.fault.code, message, remedy.to_owned())
}

/// What git cannot be asked for, since it lies elsewhere.
fn outside(shelves: &Shelves) -> Vec<Finding> {
    let outside = shelves.used();
    let files = outside
        .iter()
        .filter(|file| !file.starts_with(shelves.root()));
    let one = |file: &PathBuf| {
        let message = format!(
            "{} lies outside of the workspace: it was not compared",
            file.display()
        );
        let remedy = "keep locks below the workspace's directory";
        Finding::of(Severity::Warning, Fault::new("outside", message, remedy))
    };
    files.map(one).collect()
}

fn error(code: &'static str, message: String, remedy: String) -> Finding {
    Finding::of(Severity::Error, Fault::new(code, message, remedy))
}

#[cfg(test)]
mod tests {
    use events_core::contract::{FieldTokens, Version};
    use serde_json::json;

    use super::*;

    fn released(ty: &str, schema: &str) -> Contract {
        let mut contract = Contract::new("OrderPlaced");
        contract.draft(Version {
            version: 1,
            released: false,
            fields: vec![FieldTokens {
                name: "cents".to_owned(),
                ty: ty.to_owned(),
                required: true,
                default: None,
                upcast_since: None,
            }],
            schema: json!({ "type": "object", "properties": { "cents": { "type": schema } } }),
        });
        contract.release();
        contract
    }

    #[test]
    fn a_lock_is_rewritten_by_its_schema_or_by_its_tokens_alone() {
        let base = released("u64", "integer");
        let file = Path::new("contracts/OrderPlaced.json");
        let told = |now: &Contract| hidden(&base, Some(now), "HEAD", file, file);
        assert!(told(&base).is_empty());
        for now in [released("u64", "string"), released("String", "integer")] {
            assert_eq!(told(&now)[0].fault.code, "lock-rewritten");
        }
    }
}
