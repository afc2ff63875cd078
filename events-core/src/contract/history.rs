//! Whether every version of a contract can be read by every other.

use std::fmt;

use super::compare::{Break, reads};
use super::model::{Contract, Version};

/// One version cannot read what another writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The event's name on the wire.
    pub event: String,
    /// The version that writes.
    pub writer: u32,
    /// The version that reads.
    pub reader: u32,
    /// What it cannot read.
    pub found: Break,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            event,
            writer,
            reader,
            found,
        } = self;
        let at = if found.at.is_empty() {
            "the payload"
        } else {
            &found.at
        };
        write!(
            f,
            "{event}: {at}: {}\n    a reader of version {reader} cannot read what a writer of version {writer} may write [{}]\n    remedy: {}",
            found.why,
            found.rule,
            found.rule.remedy()
        )
    }
}

impl Contract {
    /// Compares `written` with every released version but the one of its own number, both ways. What an upcaster makes of
    /// older records, as a field says, is not compared.
    pub fn breaches(&self, written: &Version) -> Vec<Breach> {
        let mut breaches = Vec::new();
        for known in self.released() {
            if known.version == written.version {
                continue;
            }
            breaches.extend(self.breach(known, written));
            breaches.extend(self.breach(written, known));
        }
        breaches
    }

    fn breach(&self, writer: &Version, reader: &Version) -> impl Iterator<Item = Breach> {
        let (writes, read) = (writer.version, reader.version);
        let event = self.event.clone();
        let mut breaks = reads(&writer.schema, &reader.schema);
        breaks.retain(|found| !reader.upcasts(&found.at, writes));
        breaks.into_iter().map(move |found| Breach {
            event: event.clone(),
            writer: writes,
            reader: read,
            found,
        })
    }

    /// Whether `written` says something else than the released version of its number: such a change needs a new number.
    pub fn changed_without_a_bump(&self, written: &Version) -> bool {
        self.version(written.version)
            .is_some_and(|known| known.released && known.fingerprint() != written.fingerprint())
    }
}

impl Version {
    /// Whether what stands at the path `at` comes from an upcaster in records of `version`.
    fn upcasts(&self, at: &str, version: u32) -> bool {
        let mut fields = self.fields.iter();
        fields.any(|field| {
            field.upcast_since.is_some_and(|since| version < since) && stands_in(at, &field.name)
        })
    }
}

/// Whether the path `at` leads to the field `name` of the payload, or into it.
pub(crate) fn stands_in(at: &str, name: &str) -> bool {
    let rest = at.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', '{']))
}
