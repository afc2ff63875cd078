//! What a contract file holds.

use serde_json::Value;

use super::fingerprint::fingerprint;
use crate::event::EventDescriptor;

/// All that is pinned of one event type.
#[derive(Debug, Clone, PartialEq)]
pub struct Contract {
    /// The name on the wire.
    pub event: String,
    /// Its versions, ascending.
    pub versions: Vec<Version>,
}

/// One version of an event type.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its number; the first is 1.
    pub version: u32,
    /// Whether it binds. A draft may change freely.
    pub released: bool,
    /// What `#[event]` sees of the fields, in the order of their names.
    pub fields: Vec<FieldTokens>,
    /// The JSON Schema of the payload.
    pub schema: Value,
}

/// A field as `#[event]` sees it: by its tokens, before the compiler knows any type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldTokens {
    /// Its name on the wire.
    pub name: String,
    /// Its type as it is written, without spaces and, for types of the standard library, without a path.
    pub ty: String,
    /// Whether a record must hold it.
    pub required: bool,
    /// Where a missing one gets its value: `type`, or the path of a function.
    pub default: Option<String>,
    /// Records of versions below this one get it from an upcaster.
    pub upcast_since: Option<u32>,
}

/// A field as `#[event]` declares it.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeclaredField {
    pub name: &'static str,
    pub ty: &'static str,
    pub required: bool,
    pub default: &'static str,
    /// 0 where no upcaster fills it.
    pub upcast_since: u32,
}

impl Version {
    /// The version that this build writes, as a draft.
    pub fn of(event: &EventDescriptor) -> Self {
        let mut fields: Vec<_> = event.fields.iter().map(FieldTokens::of).collect();
        fields.sort();
        Self {
            version: event.version,
            released: false,
            fields,
            schema: (event.schema)(),
        }
    }

    /// What the schema says, as a short text that changes with it; words for people do not count.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.schema)
    }
}

impl FieldTokens {
    fn of(field: &DeclaredField) -> Self {
        Self {
            name: field.name.to_owned(),
            ty: field.ty.to_owned(),
            required: field.required,
            default: (!field.default.is_empty()).then(|| field.default.to_owned()),
            upcast_since: (field.upcast_since > 0).then_some(field.upcast_since),
        }
    }
}

impl Contract {
    /// A contract of nothing yet.
    pub fn new(event: impl Into<String>) -> Self {
        Self {
            event: event.into(),
            versions: Vec::new(),
        }
    }

    /// The version with this number.
    pub fn version(&self, number: u32) -> Option<&Version> {
        self.versions.iter().find(|known| known.version == number)
    }

    /// The versions that bind.
    pub fn released(&self) -> impl Iterator<Item = &Version> {
        self.versions.iter().filter(|version| version.released)
    }

    /// Takes in what this build writes, as a draft. A version that was released stays as it is, and drafts of other
    /// numbers are forgotten: nobody reads them.
    pub fn draft(&mut self, written: Version) {
        self.versions
            .retain(|known| known.released || known.version == written.version);
        match self
            .versions
            .iter_mut()
            .find(|known| known.version == written.version)
        {
            Some(known) if known.released => {}
            Some(known) => *known = written,
            None => self.versions.push(written),
        }
        self.versions.sort_by_key(|known| known.version);
    }

    /// Lets every draft bind from now on; whether there was one.
    pub fn release(&mut self) -> bool {
        let drafts = self.versions.iter_mut().filter(|known| !known.released);
        drafts.map(|draft| draft.released = true).count() > 0
    }
}
