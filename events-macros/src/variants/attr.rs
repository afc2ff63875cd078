//! The options of the derives: `#[emission(…)]` and `#[one_of(…)]`, on the enum and on its variants.

use proc_macro2::Ident;
use quote::quote;
use syn::{Attribute, DeriveInput, Path, Variant};

use super::Kind;
use crate::attributes;
use crate::errors::Errors;
use crate::options::{self, Given, Usage, Value};

const ENUM: [Usage; 1] = [("crate", "`crate = path::to::events_core`")];
const VARIANT: [Usage; 1] = [("failure", "`failure`, without a value")];
const NOT_ON_A_VARIANT: &str =
    "the variants of `OneOf` have no options: `#[one_of(crate = …)]` stands on the enum";

/// What stands in the attribute on the enum.
#[derive(Default)]
pub(super) struct Options {
    pub(super) krate: Option<Path>,
}

/// What stands in the attribute on a variant.
#[derive(Default)]
pub(super) struct VariantOptions {
    /// The option by which the variant's event tells of a failure.
    pub(super) failure: Option<Ident>,
}

impl Options {
    pub(super) fn read(kind: Kind, item: &DeriveInput, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for attribute in kind.of(&item.attrs) {
            let (misplaced, others) = failures(attribute);
            for failure in &misplaced {
                errors.at(failure, kind.no_failure());
            }
            // What is misplaced is told above, and would be told to be unknown.
            let tokens = match misplaced.as_slice() {
                [] => attributes::arguments(attribute),
                _ => quote!(#(#others),*),
            };
            for given in options::read(tokens, &ENUM, errors) {
                options.krate = given.parse(errors);
            }
        }
        options
    }
}

impl VariantOptions {
    pub(super) fn read(kind: Kind, variant: &Variant, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for attribute in kind.of(&variant.attrs) {
            match kind {
                Kind::Emission => options.take(attribute, errors),
                Kind::OneOf => match failures(attribute).0.first() {
                    Some(failure) => errors.at(failure, kind.no_failure()),
                    None => errors.at(attribute, NOT_ON_A_VARIANT),
                },
            }
        }
        for attribute in variant
            .fields
            .iter()
            .flat_map(|field| kind.of(&field.attrs))
        {
            errors.at(
                attribute,
                match kind {
                    Kind::Emission => {
                        "an option stands on the variant, not on what it holds: move it in front of the variant"
                    }
                    Kind::OneOf => NOT_ON_A_VARIANT,
                },
            );
        }
        options
    }

    fn take(&mut self, attribute: &Attribute, errors: &mut Errors) {
        let tokens = attributes::arguments(attribute);
        if tokens.is_empty() {
            errors.at(attribute, "say which option: `#[emission(failure)]`");
        }
        for given in options::read(tokens, &VARIANT, errors) {
            match given.value {
                Value::Equals(_) | Value::List(_) => given.misused(errors),
                Value::Flag if self.failure.is_some() => {
                    errors.at(&given.name, "`failure` is given twice: keep one");
                }
                Value::Flag => self.failure = Some(given.name),
            }
        }
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

    /// Its attributes among others.
    fn of(self, attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
        attributes
            .iter()
            .filter(move |attribute| attribute.path().is_ident(self.attribute()))
    }

    /// Why `failure` cannot stand on the enum, or anywhere in what a handler takes.
    fn no_failure(self) -> &'static str {
        match self {
            Self::Emission => {
                "`failure` marks a variant, not all of them: write `#[emission(failure)]` in front of the variant whose event tells of a failure"
            }
            Self::OneOf => {
                "`OneOf` is what a handler takes: who returns an event says that it tells of a failure, by `#[emission(failure)]` in front of a variant with `#[derive(Emission)]`"
            }
        }
    }
}

/// What an attribute says of failures, and what else it says.
fn failures(attribute: &Attribute) -> (Vec<Given>, Vec<Given>) {
    options::foreign(attribute)
        .into_iter()
        .partition(|given| given.name() == "failure")
}
