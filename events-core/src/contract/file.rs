//! Contract files as text.

use serde::Deserialize;
use serde_json::{Value, json};

use super::fingerprint::{fingerprint, sorted};
use super::model::{Contract, FieldTokens, Version};
use crate::company::Finding;

/// The format of contract files that this build writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// A contract file that cannot be used, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The file cannot be opened.
    #[error("{file} cannot be opened ({source}): {}", self.remedy())]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is not text.
    #[error("{file} is not UTF-8 (byte {at}): {}", self.remedy())]
    NotUtf8 {
        /// The file.
        file: String,
        /// Where the first wrong byte stands, from 0.
        at: usize,
    },
    /// A merge was left half done.
    #[error("{file} holds merge markers (line {line}): {}", self.remedy())]
    MergeMarkers {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// It is not JSON, or lacks something.
    #[error("{file} cannot be read: {}", self.remedy())]
    Malformed {
        /// The file.
        file: String,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// It says something that cannot be.
    #[error("{file}: {fault}: {}", self.remedy())]
    Inconsistent {
        /// The file.
        file: String,
        /// What cannot be.
        fault: String,
    },
    /// A later version of this crate wrote it.
    #[error("{file} has format {found}, and this build knows up to {FORMAT}: {}", self.remedy())]
    Newer {
        /// The file.
        file: String,
        /// Its format.
        found: u64,
    },
    /// It is the lock of another event.
    #[error("{file} is of the event `{found}`, not of `{event}`: {}", self.remedy())]
    OfAnother {
        /// The file.
        file: String,
        /// The event in it.
        found: String,
        /// The event that looked for it.
        event: String,
    },
}

impl LockError {
    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "let it be a file that this user may read",
            Self::NotUtf8 { .. } => {
                "fetch it anew from version control, and keep tools from re-encoding it"
            }
            Self::MergeMarkers { .. } => {
                "take the side whose versions were released first, then run `contracts lock`"
            }
            Self::Malformed { .. } => {
                "fetch it anew from version control, or delete it if nothing in it was released and run `contracts lock`"
            }
            Self::Inconsistent { .. } => {
                "contract files are written by `contracts lock` and `contracts release`, not by hand: fetch it anew from \
                 version control"
            }
            Self::Newer { .. } => "update events-core",
            Self::OfAnother { .. } => {
                "correct `lock` or `name` at the event, or fetch the file anew from version control"
            }
        }
    }

    /// The same as a finding.
    pub fn finding(&self) -> Finding {
        let text = self.to_string();
        let remedy = self.remedy();
        let told = text.strip_suffix(remedy).unwrap_or(&text);
        let mut message = told.trim_end_matches(": ").to_owned();
        if let Self::Malformed { source, .. } = self {
            message = format!("{message} ({source})");
        }
        Finding::error("unreadable-lock", message, remedy)
    }
}

/// The name of the file that holds the contract of the event called `event` on the wire.
///
/// Letters, digits, `-`, `_` and `.` stay; every other byte becomes `%` and two hexadecimal digits. Names that differ in
/// capitals alone are one file on some systems: give one of them another name.
///
/// ```
/// use events_core::contract::file_name;
///
/// assert_eq!(file_name("OrderPlaced"), "OrderPlaced.json");
/// assert_eq!(file_name("com.shop/order placed"), "com.shop%2Forder%20placed.json");
/// ```
pub fn file_name(event: &str) -> String {
    crate::escape::file_name(event, "json")
}

/// As it stands in the file.
#[derive(Deserialize)]
struct File {
    event: String,
    versions: Vec<FileVersion>,
}

#[derive(Deserialize)]
struct FileVersion {
    version: u32,
    released: bool,
    fingerprint: String,
    fields: Vec<FileField>,
    schema: Value,
}

#[derive(Deserialize)]
struct FileField {
    name: String,
    #[serde(rename = "type")]
    ty: String,
    required: bool,
    default: Option<String>,
    upcast_since: Option<u32>,
}

impl Contract {
    /// Reads a contract file. `file` is its path, for errors.
    ///
    /// # Errors
    ///
    /// [`LockError`], which names the file and the remedy.
    pub fn read(file: &str, content: &[u8]) -> Result<Self, LockError> {
        let name = || file.to_owned();
        let text = std::str::from_utf8(content).map_err(|error| LockError::NotUtf8 {
            file: name(),
            at: error.valid_up_to(),
        })?;
        let text = text.trim_start_matches('\u{feff}');
        if let Some(line) = merge_marker(text) {
            return Err(LockError::MergeMarkers { file: name(), line });
        }
        let malformed = |source| LockError::Malformed {
            file: file.to_owned(),
            source,
        };
        let value: Value = serde_json::from_str(text).map_err(malformed)?;
        // Before anything else, since a newer format may lack what this one needs.
        if let Some(found) = value.get("format").and_then(Value::as_u64)
            && found > u64::from(FORMAT)
        {
            return Err(LockError::Newer {
                file: name(),
                found,
            });
        }
        let read: File = serde_json::from_value(value).map_err(malformed)?;
        if let Some(fault) = read.fault() {
            return Err(LockError::Inconsistent {
                file: name(),
                fault,
            });
        }
        Ok(read.into_contract())
    }

    /// The content of the file: sorted, so that a change shows where it is and nowhere else.
    pub fn write(&self) -> String {
        format!("{:#}\n", self.as_json())
    }

    pub(super) fn as_json(&self) -> Value {
        let versions: Vec<_> = self.versions.iter().map(written).collect();
        sorted(json!({ "format": FORMAT, "event": self.event, "versions": versions }))
    }
}

fn written(version: &Version) -> Value {
    let fields = version.fields.iter().map(|field| {
        let mut object =
            json!({ "name": field.name, "type": field.ty, "required": field.required });
        if let Some(default) = &field.default {
            object["default"] = default.as_str().into();
        }
        if let Some(since) = field.upcast_since {
            object["upcast_since"] = since.into();
        }
        object
    });
    json!({
        "version": version.version,
        "released": version.released,
        "fingerprint": version.fingerprint(),
        "fields": fields.collect::<Vec<_>>(),
        "schema": version.schema,
    })
}

fn merge_marker(text: &str) -> Option<usize> {
    let marks = ["<<<<<<<", "=======", ">>>>>>>", "|||||||"];
    let found = text
        .lines()
        .position(|line| marks.iter().any(|mark| line.starts_with(mark)));
    found.map(|index| index + 1)
}

impl File {
    fn fault(&self) -> Option<String> {
        let mut last = 0;
        for version in &self.versions {
            let number = version.version;
            if number <= last {
                return Some(format!(
                    "version {number} stands behind version {last}, though versions ascend from 1"
                ));
            }
            last = number;
            if version.fingerprint != fingerprint(&version.schema) {
                return Some(format!(
                    "the schema of version {number} does not fit its fingerprint"
                ));
            }
        }
        None
    }

    fn into_contract(self) -> Contract {
        let versions = self.versions.into_iter().map(|version| Version {
            version: version.version,
            released: version.released,
            fields: version.fields.into_iter().map(FileField::into).collect(),
            schema: version.schema,
        });
        Contract {
            versions: versions.collect(),
            event: self.event,
        }
    }
}

impl From<FileField> for FieldTokens {
    fn from(field: FileField) -> Self {
        Self {
            name: field.name,
            ty: field.ty,
            required: field.required,
            default: field.default,
            upcast_since: field.upcast_since,
        }
    }
}
