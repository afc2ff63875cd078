//! The options of the derives: `#[emission(…)]` and `#[one_of(…)]`.

use syn::{DeriveInput, Path};

use super::Kind;
use crate::attributes;
use crate::errors::Errors;
use crate::options::{self, Usage};

const ENUM: [Usage; 1] = [("crate", "`crate = path::to::events_core`")];

/// What stands in the attribute.
#[derive(Default)]
pub(super) struct Options {
    pub(super) krate: Option<Path>,
}

impl Options {
    pub(super) fn read(kind: Kind, item: &DeriveInput, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let ours = item
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident(kind.attribute()));
        for attribute in ours {
            for given in options::read(attributes::arguments(attribute), &ENUM, errors) {
                options.krate = given.parse(errors);
            }
        }
        options
    }
}

impl Kind {
    /// The derive's name.
    pub(super) fn derive(self) -> &'static str {
        match self {
            Self::Emission => "Emission",
            Self::OneOf => "OneOf",
        }
    }

    /// The name of its attribute.
    fn attribute(self) -> &'static str {
        match self {
            Self::Emission => "emission",
            Self::OneOf => "one_of",
        }
    }
}
