//! `#[event]`.

mod attr;
mod check;
mod expand;
mod model;
mod payload;

use proc_macro2::TokenStream;
use quote::quote;

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
    let model = model::Model::read(options, parsed, &mut errors);
    check::check(&model, &mut errors);
    if errors.is_empty() {
        expand::expand(&model)
    } else {
        let (item, errors) = (&model.item, errors.into_tokens());
        quote!(#item #errors)
    }
}
