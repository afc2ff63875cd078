//! `#[handler]`.

mod attr;
mod check;
mod expand;
mod model;

use proc_macro2::TokenStream;
use quote::quote;

use crate::errors::Errors;

/// The macro.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = attr::Options::read(options, &mut errors);
    let function = match syn::parse2::<model::Function>(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            errors.push(error);
            let errors = errors.into_tokens();
            return quote!(#item #errors);
        }
    };
    let model = model::Model::read(options, function, &mut errors);
    check::check(&model, &mut errors);
    if errors.is_empty() {
        let registration = expand::expand(&model);
        let lints = expand::lints();
        quote!(#lints #item #registration)
    } else {
        let errors = errors.into_tokens();
        if check::is_told_twice(&model) {
            return errors;
        }
        quote!(#item #errors)
    }
}
