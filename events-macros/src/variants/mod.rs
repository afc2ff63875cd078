//! `#[derive(Emission)]` and `#[derive(OneOf)]`: enums whose variants hold events.

mod attr;
mod check;
mod expand;
mod model;

use proc_macro2::TokenStream;
use quote::quote;

use crate::errors::Errors;

/// Which of the two derives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What a handler returns.
    Emission,
    /// What a handler takes.
    OneOf,
}

/// The macros.
pub(crate) fn expand(kind: Kind, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(item) = errors.keep(syn::parse2(item)) else {
        return errors.into_tokens();
    };
    let options = attr::Options::read(kind, &item, &mut errors);
    let model = model::Model::read(kind, options, item, &mut errors);
    check::check(&model, &mut errors);
    // A derive leaves the user's item where it is.
    if errors.is_empty() {
        return expand::expand(&model);
    }
    let (stub, errors) = (expand::stub(&model), errors.into_tokens());
    quote!(#stub #errors)
}
