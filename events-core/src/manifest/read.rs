//! A manifest from a file.

use serde_json::Value;

use super::{FORMAT, Manifest};

const AGAIN: &str = "write it anew with the service's `manifest` subcommand";

/// A manifest that cannot be used, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It is not text.
    #[error("{file} is not UTF-8 (byte {at}): {AGAIN}, and keep tools from re-encoding it")]
    NotUtf8 {
        /// The file.
        file: String,
        /// Where the first wrong byte stands, from 0.
        at: usize,
    },
    /// A merge was left half done.
    #[error("{file} holds merge markers (line {line}): {AGAIN} instead of merging it")]
    Merge {
        /// The file.
        file: String,
        /// The line of the first, from 1.
        line: usize,
    },
    /// It is not JSON.
    #[error("{file} is not JSON (line {line}, column {column}): {AGAIN}")]
    NotJson {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// It is JSON of another kind.
    #[error("{file} is no manifest, for {reason}: {AGAIN}")]
    NotAManifest {
        /// The file.
        file: String,
        /// What is missing or wrong.
        reason: String,
    },
    /// Another build wrote it.
    #[error(
        "{file} is a manifest of format {found}, and this build reads up to {FORMAT}: update the tool that reads it (`cargo install --path cargo-events`, or the service's `events-kafka`)"
    )]
    Newer {
        /// The file.
        file: String,
        /// The format found.
        found: u64,
    },
}

impl Manifest {
    /// Reads what a file holds: one manifest, or a list of them. `file` is its name, for messages.
    ///
    /// # Errors
    ///
    /// [`ManifestError`], which names the file and the remedy.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Vec<Self>, ManifestError> {
        let file = file.to_owned();
        // Some editors and shells put a mark in front.
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.valid_up_to();
                return Err(ManifestError::NotUtf8 { file, at });
            }
        };
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(source) => return Err(broken(file, text, source)),
        };
        let list = match value {
            Value::Array(list) => list,
            one => vec![one],
        };
        if list.is_empty() {
            let reason = "it is an empty list".to_owned();
            return Err(ManifestError::NotAManifest { file, reason });
        }
        let manifests = list.into_iter();
        manifests.map(|value| one(&file, value)).collect()
    }
}

fn one(file: &str, value: Value) -> Result<Manifest, ManifestError> {
    let file = || file.to_owned();
    match value.get("manifest").and_then(Value::as_u64) {
        Some(format) if format > u64::from(FORMAT) => Err(ManifestError::Newer {
            file: file(),
            found: format,
        }),
        Some(1..) => serde_json::from_value(value).map_err(|error| ManifestError::NotAManifest {
            file: file(),
            reason: format!("{error}"),
        }),
        _ => Err(ManifestError::NotAManifest {
            file: file(),
            reason: "it has no field `manifest` with the number of its format".to_owned(),
        }),
    }
}

fn broken(file: String, text: &str, source: serde_json::Error) -> ManifestError {
    let marker = |line: &str| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ");
    match text.lines().position(marker) {
        Some(line) => ManifestError::Merge {
            file,
            line: line + 1,
        },
        None => ManifestError::NotJson {
            file,
            line: source.line(),
            column: source.column(),
            source,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(bytes: &[u8]) -> String {
        let error = Manifest::read("m/orders.json", bytes).expect_err("it is broken");
        let text = error.to_string();
        assert!(
            text.starts_with("m/orders.json ") && text.contains(": "),
            "{text}"
        );
        text
    }

    #[test]
    fn what_cannot_be_read_names_the_file_and_the_remedy() {
        assert!(fault(b"{\"manifest\":\xff").contains("is not UTF-8 (byte 12)"));
        let broken = fault(b"{\n  \"manifest\": ");
        assert!(
            broken.contains("is not JSON (line 2, column 14)"),
            "{broken}"
        );
        assert!(broken.ends_with("with the service's `manifest` subcommand"));
        assert!(fault(b"").contains("is not JSON"));
        let merge = fault(b"{\n<<<<<<< main\n\"manifest\": 1\n=======\n}");
        assert!(merge.contains("merge markers (line 2)"), "{merge}");
        let newer = fault(b"{\"manifest\": 7, \"service\": \"x\"}");
        assert!(
            newer.contains("format 7") && newer.contains("update the tool"),
            "{newer}"
        );
        assert!(fault(b"{}").contains("no field `manifest`"));
        assert!(fault(b"[]").contains("an empty list"));
        assert!(fault(b"null").contains("no field `manifest`"));
        assert!(fault(b"{\"manifest\": 0}").contains("no field `manifest`"));
        let kind = fault(b"{\"manifest\": 1, \"service\": \"a\", \"events\": [{\"name\": \"A\"}]}");
        assert!(kind.contains("missing field `version`"), "{kind}");
    }

    #[test]
    fn fields_of_a_newer_build_are_ignored_and_missing_ones_are_empty() {
        let text = "\u{feff}[{\"manifest\": 1, \"service\": \"a\", \"news\": {}}]";
        let manifests = Manifest::read("a.json", text.as_bytes()).unwrap();
        assert_eq!(manifests[0].service, "a");
        let again = Manifest::read("a.json", manifests[0].to_json().as_bytes()).unwrap();
        assert_eq!(again, manifests);
    }
}
