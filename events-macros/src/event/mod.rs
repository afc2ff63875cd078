//! `#[event]`.

mod attr;
mod check;
mod expand;
mod mend;
mod model;
mod payload;
mod scalar;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::errors::Errors;

/// The macro.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = attr::Options::read(options, &mut errors);
    let parsed = match syn::parse2::<syn::DeriveInput>(item.clone()) {
        Ok(parsed) => parsed,
        Err(_) => {
            errors.at(
                &item,
                "an event is a struct: `#[event(topic = \"…\")] pub struct OrderPlaced { … }`",
            );
            let errors = errors.into_tokens();
            return quote!(#item #errors);
        }
    };
    let mut model = model::Model::read(options, parsed, &mut errors);
    check::check(&model, &mut errors);
    if errors.is_empty() {
        return expand::expand(&model);
    }
    let mended = mend::mend(&mut model);
    let item = if mended {
        expand::expand(&model)
    } else {
        model.item.to_token_stream()
    };
    let errors = errors.into_tokens();
    quote!(#item #errors)
}
