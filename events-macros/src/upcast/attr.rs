//! The options of `#[upcast]`.

use proc_macro2::{Span, TokenStream};
use syn::Path;

use crate::errors::Errors;
use crate::options::{self, Usage};

const FUNCTION: [Usage; 4] = [
    ("from", "`from = 1`"),
    ("to", "`to = 3`"),
    ("event", "`event = OrderPlaced`"),
    ("crate", "`crate = path::to::events_core`"),
];

/// What stands in `#[upcast(…)]`.
#[derive(Default)]
pub(super) struct Options {
    pub(super) from: Option<(u32, Span)>,
    /// Whether a version was named at all, well or not.
    pub(super) from_given: bool,
    pub(super) to: Option<(u32, Span)>,
    pub(super) event: Option<Path>,
    pub(super) krate: Option<Path>,
}

impl Options {
    pub(super) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for given in options::read(tokens, &FUNCTION, errors) {
            match given.name().as_str() {
                "from" => {
                    options.from_given = true;
                    options.from = given.integer(errors);
                }
                "to" => options.to = given.integer(errors),
                "event" => options.event = given.parse(errors),
                _ => options.krate = given.parse(errors),
            }
        }
        options
    }
}
