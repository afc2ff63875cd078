//! Where generated code finds the core.

use proc_macro_crate::{FoundCrate, crate_name};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use crate::errors::Errors;

/// Crates that carry the core's `__private` module, the core itself first.
const ROOTS: [(&str, &str); 2] = [
    ("events-core", "events_core"),
    ("events-kafka", "events_kafka"),
];

/// The path of the core's `__private` module.
pub(crate) fn private(explicit: Option<&syn::Path>, errors: &mut Errors) -> TokenStream {
    if let Some(path) = explicit {
        return quote!(#path::__private);
    }
    let mut unreadable = false;
    for (package, library) in ROOTS {
        let name = match crate_name(package) {
            Ok(FoundCrate::Name(name)) => name,
            // The core names itself by `extern crate self`, so that its tests and examples need no other path.
            Ok(FoundCrate::Itself) => library.to_owned(),
            Err(proc_macro_crate::Error::CrateNotFound { .. }) => continue,
            Err(_) => {
                unreadable = true;
                continue;
            }
        };
        let root = Ident::new(&name, Span::call_site());
        return quote!(::#root::__private);
    }
    // Without a manifest to read (another build tool, an editor) the usual name is the best guess.
    if !unreadable {
        errors.at_span(
            Span::call_site(),
            "neither `events-core` nor `events-kafka` is a dependency of this crate: add one of them, or say where \
             the core is: `crate = path::to::events_core`",
        );
    }
    quote!(::events_core::__private)
}

/// The path, with all errors that it leads to at `span`.
pub(crate) fn at(span: Span, private: &TokenStream) -> TokenStream {
    let tokens = private.clone().into_iter().map(|mut token| {
        token.set_span(span);
        token
    });
    tokens.collect()
}

/// Where `tokens` stand, for generated code around them: there its errors are seen, while its names are looked up where
/// the macro was called. Tokens may come from a macro of the user's, in which such names mean nothing.
pub(crate) fn span(tokens: &impl Spanned) -> Span {
    Span::mixed_site().located_at(tokens.span())
}
