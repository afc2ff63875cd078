//! `#[event]` and `#[command]`: a command is an event with an owner.

mod attr;
mod check;
mod command;
mod expand;
mod lock;
mod mend;
mod model;
mod payload;
mod scalar;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::errors::Errors;

pub(crate) use command::Kind;

/// The macro.
pub(crate) fn expand(kind: Kind, options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = attr::Options::read(kind, options, &mut errors);
    let parsed = match syn::parse2::<syn::DeriveInput>(item.clone()) {
        Ok(parsed) => parsed,
        Err(_) => match mend::unread(&item) {
            Some(struct_) => return half_typed(options, struct_, &item),
            None => {
                errors.at(&item, kind.no_struct());
                let errors = errors.into_tokens();
                return quote!(#item #errors);
            }
        },
    };
    let mut model = model::Model::read(options, parsed, &mut errors);
    check::check(&model, &mut errors);
    let mut locked = quote!(&[]);
    if errors.is_empty() {
        locked = lock::check(&model, &mut errors);
        if errors.is_empty() {
            return expand::expand(&model, &locked);
        }
    }
    let mended = mend::mend(&mut model);
    let item = if mended {
        expand::expand(&model, &locked)
    } else {
        model.item.to_token_stream()
    };
    let errors = errors.into_tokens();
    quote!(#item #errors)
}

/// The compiler says what is wrong with the item. What is left of the event is there, so that nothing else is wrong.
fn half_typed(options: attr::Options, known: syn::DeriveInput, item: &TokenStream) -> TokenStream {
    let mut ignored = Errors::default();
    let mut model = model::Model::read(options, known, &mut ignored);
    mend::mend(&mut model);
    let implementations = expand::implementations(&model, &quote!(&[]));
    quote!(#item #implementations)
}
