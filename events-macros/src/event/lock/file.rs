//! The contract file of an event, as far as tokens can be compared with it.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::Value;

use super::tokens::Tokens;
use crate::options;

/// The newest format that is known. `events-core` writes it.
const FORMAT: u64 = 1;

/// A workspace's top lies no further above a crate.
const DEPTH: usize = 8;

/// What is read of a contract file.
pub(super) struct Lock {
    /// Versions that bind, ascending.
    pub(super) released: Vec<Released>,
}

pub(super) struct Released {
    pub(super) version: u32,
    pub(super) fields: Vec<Locked>,
    /// What it held if it was a newtype. Locks of early builds do not say it.
    pub(super) whole: Option<Tokens>,
    /// Whether the payload was surely an object.
    pub(super) is_object: bool,
}

pub(super) struct Locked {
    pub(super) name: String,
    pub(super) ty: Tokens,
    pub(super) required: bool,
    pub(super) default: bool,
}

/// Looks for the file of the event called `name`.
pub(super) fn find(name: &str) -> Option<PathBuf> {
    let file = escaped(name);
    let mut all = directories().into_iter().map(|shelf| shelf.join(&file));
    all.find(|path| path.is_file())
}

/// What is wrong with a name that was released, as someone says, and that no file bears; nothing where there are no files
/// at all.
pub(super) fn unknown(name: &str) -> Option<String> {
    let entries = directories()
        .into_iter()
        .filter_map(|shelf| fs::read_dir(shelf).ok());
    let files = entries.flatten().flatten().map(|entry| entry.path());
    let known: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|of| of == "json"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    if known.is_empty() {
        return None;
    }
    let meant = options::closest(name, known.iter().map(String::as_str));
    let meant = meant
        .map(|meant| format!(" (did you mean `{meant}`?)"))
        .unwrap_or_default();
    Some(format!(
        "no contract lock is of `{name}`{meant}: `renamed_from` is the name under which the type was released, and which it \
         keeps on the wire; without a release say `name`"
    ))
}

/// `contracts/` of the crate, then of the directories above it up to the workspace's.
fn directories() -> Vec<PathBuf> {
    let Some(from) = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from) else {
        return Vec::new();
    };
    // A crate without a workspace, such as a published one, has nothing to look for above itself.
    let top = from.ancestors().take(DEPTH).position(is_workspace);
    let all = from.ancestors().take(1 + top.unwrap_or_default());
    all.map(|directory| directory.join("contracts")).collect()
}

fn is_workspace(directory: &Path) -> bool {
    let manifest = fs::read_to_string(directory.join("Cargo.toml"));
    manifest.is_ok_and(|text| text.lines().any(is_of_workspace))
}

/// As in `events_core::contract`: whether a line of a manifest begins the workspace's table, or one below it.
fn is_of_workspace(line: &str) -> bool {
    let table = line.trim_start().strip_prefix('[').map(str::trim_start);
    let rest = table.and_then(|table| table.strip_prefix("workspace"));
    rest.is_some_and(|rest| rest.trim_start().starts_with([']', '.']))
}

/// As `events_core::contract::file_name` does.
pub(super) fn escaped(name: &str) -> String {
    let mut escaped = String::new();
    for (index, byte) in name.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && index > 0) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped + ".json"
}

impl Lock {
    /// Reads a file; else what is wrong, and the remedy.
    pub(super) fn read(path: &Path, event: &str) -> Result<Self, String> {
        let shown = path.display();
        let content = fs::read(path).map_err(|error| {
            format!("the contract lock {shown} cannot be read: {error}; correct the path, or leave `lock` out")
        })?;
        let released =
            read(&content, event).map_err(|fault| format!("the contract lock {shown} {fault}"))?;
        Ok(Self { released })
    }
}

fn read(content: &[u8], event: &str) -> Result<Vec<Released>, String> {
    let text = std::str::from_utf8(content)
        .map_err(|_| "is not UTF-8: fetch it anew from version control")?;
    let text = text.trim_start_matches('\u{feff}');
    let marks = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"];
    let merged = |line: &str| marks.iter().any(|mark| line.starts_with(mark));
    if let Some(line) = text.lines().position(merged) {
        return Err(format!(
            "holds merge markers (line {}): take the side whose versions were released first, then run `contracts lock`",
            line + 1
        ));
    }
    let broken = "fetch it anew from version control";
    let file: Value =
        serde_json::from_str(text).map_err(|error| format!("is not JSON ({error}): {broken}"))?;
    if let Some(format) = file["format"].as_u64().filter(|format| *format > FORMAT) {
        return Err(format!(
            "has format {format}, and this build knows up to {FORMAT}: update events-core"
        ));
    }
    if file["event"] != event {
        return Err(format!(
            "is of the event {}, not of \"{event}\": correct `lock`, `name` or `renamed_from`",
            file["event"]
        ));
    }
    let versions = file["versions"].as_array().into_iter().flatten();
    let released = versions.filter(|version| version["released"] == true);
    let mut released = released
        .map(|version| {
            released_version(version).ok_or_else(|| format!("lacks parts of a version: {broken}"))
        })
        .collect::<Result<Vec<_>, _>>()?;
    released.sort_by_key(|version| version.version);
    Ok(released)
}

fn released_version(version: &Value) -> Option<Released> {
    let fields = version["fields"].as_array()?.iter().map(|field| {
        Some(Locked {
            name: field["name"].as_str()?.to_owned(),
            ty: Tokens::parse(field["type"].as_str()?),
            required: field["required"].as_bool()?,
            default: field.get("default").is_some(),
        })
    });
    let mut fields = fields.collect::<Option<Vec<_>>>()?;
    let unnamed = fields.iter().position(|field| field.name.is_empty());
    let whole = unnamed.map(|index| fields.remove(index).ty);
    Some(Released {
        version: version["version"].as_u64()?.try_into().ok()?,
        is_object: whole.is_none() && (!fields.is_empty() || version["schema"]["type"] == "object"),
        fields,
        whole,
    })
}

#[cfg(test)]
mod tests {
    use super::is_of_workspace;

    #[test]
    fn a_workspace_is_known_by_its_tables() {
        for line in [
            "[workspace]",
            "  [workspace] # all of it",
            "[ workspace ]",
            "[workspace.package]",
            "[workspace . lints.rust]",
        ] {
            assert!(is_of_workspace(line), "{line}");
        }
        for line in [
            "# [workspace]",
            "workspace = true",
            "[workspaces]",
            "[package.workspace]",
            "[[workspace]]",
        ] {
            assert!(!is_of_workspace(line), "{line}");
        }
    }
}
