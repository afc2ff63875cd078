//! `#[payload]`.

mod other;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Fields, Path};

use crate::errors::Errors;
use crate::options::{self, Usage};
use crate::{attributes, derives, krate, wire};

const OPTIONS: [Usage; 1] = [("crate", "`crate = path::to::events_core`")];

/// The macro.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let mut root: Option<Path> = None;
    for given in options::read(options, &OPTIONS, &mut errors) {
        root = given.parse(&mut errors);
    }
    let private = krate::private(root.as_ref(), &mut errors);
    let Ok(mut parsed) = syn::parse2::<DeriveInput>(item.clone()) else {
        errors.at(&item, "a payload is a struct or an enum");
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    };
    check(&mut parsed, &mut errors);
    let open = other::read(&mut parsed, &mut errors);
    let serde = derives::serde(&private);
    if errors.is_empty() && open {
        return other::expand(parsed, &private);
    }
    if errors.is_empty() {
        return quote!(#serde #parsed);
    }
    let errors = errors.into_tokens();
    if !attributes::own_derives(&parsed.attrs).is_empty() || matches!(parsed.data, Data::Union(_)) {
        return quote!(#item #errors);
    }
    // Without what may be wrong, so that the events that hold it are not faulty too.
    attributes::take(&mut parsed.attrs, "serde");
    quote!(#serde #parsed #errors)
}

fn check(item: &mut DeriveInput, errors: &mut Errors) {
    wire::refuse_late_macros(item, "payload", errors);
    attributes::refuse_derives(&item.attrs, "payload", errors);
    let container = wire::container(&item.attrs, "payload", errors);
    let all: Vec<_> = match &mut item.data {
        Data::Struct(data) => vec![&mut data.fields],
        Data::Enum(data) => data
            .variants
            .iter_mut()
            .map(|variant| &mut variant.fields)
            .collect(),
        Data::Union(data) => {
            errors.at(
                data.union_token,
                "a payload is a struct or an enum: a union cannot be read back",
            );
            return;
        }
    };
    for fields in all {
        for field in &mut *fields {
            wire::refuse_unknown_form(field, errors);
        }
        if let Fields::Named(fields) = fields {
            for field in &fields.named {
                wire::refuse_omitted(field, container.default, "#[serde(default)]", errors);
            }
        }
    }
}
