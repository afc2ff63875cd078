//! What `#[event]` generates.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::Member;
use syn::spanned::Spanned;

use super::model::{Body, Model};
use super::payload;
use crate::options::plain;
use crate::{derives, krate};

pub(super) fn expand(model: &Model) -> TokenStream {
    let Model {
        private,
        item,
        conditions,
        ..
    } = model;
    let derives = if model.derives {
        derives::serde(private)
    } else {
        TokenStream::new()
    };
    let payload = match &model.body {
        Body::Unit => payload::unit(model),
        Body::Named(fields) if model.flat => payload::flat(model, fields),
        Body::Named(fields) if !model.derives => payload::named(model, fields),
        _ => TokenStream::new(),
    };
    let event = event(model);
    let ident = &item.ident;
    quote! {
        #derives
        #item

        #conditions
        const _: () = {
            #payload
            #event
            #private::inventory::submit! {
                #private::EventRegistration(<#ident as #private::Event>::DESCRIPTOR)
            }
        };
    }
}

fn event(model: &Model) -> TokenStream {
    let (private, ident) = (&model.private, &model.item.ident);
    let codec = match &model.codec {
        Some(codec) => codec.to_token_stream(),
        None => quote!(#private::Json),
    };
    let descriptor = descriptor(model);
    let key = key(model);
    let from_record = model.flat.then(|| {
        quote! {
            fn from_record(
                value: #private::Option<&[::core::primitive::u8]>,
                found: ::core::primitive::u32,
            ) -> #private::Outcome<Self> {
                #private::decode_flat(value, found)
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #private::Event for #ident {
            type Codec = #codec;
            const DESCRIPTOR: &'static #private::EventDescriptor = &#descriptor;
            fn key(&self) -> #private::Option<#private::Cow<'_, str>> {
                #key
            }
            #from_record
        }
        // Not for all events at once in the core: then the compiler would not say what is wrong within a `Result`.
        #[automatically_derived]
        impl #private::Emission for #ident {
            fn declare(types: &mut #private::Types) {
                types.push(<Self as #private::Event>::DESCRIPTOR);
            }
            fn emit(self, emissions: &mut #private::Emissions) -> #private::Outcome<()> {
                emissions.push(&self)
            }
        }
    }
}

fn descriptor(model: &Model) -> TokenStream {
    let Model {
        private,
        doc,
        topic,
        version: (version, _),
        name: (name, _),
        topic_default,
        topic_exclusive,
        ..
    } = model;
    let ident = &model.item.ident;
    let key = model.key.as_ref().map(|(_, members)| {
        let names = members.iter().map(|member| wire_name(model, member));
        quote!(#(#names),*)
    });
    let new = if model.flat {
        quote!(flat)
    } else {
        quote!(new)
    };
    quote! {
        #private::EventDescriptor::#new::<Self>(#private::Declared {
            name: #name,
            rust_path: ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#ident)),
            package: ::core::env!("CARGO_PKG_NAME"),
            topic: #topic,
            version: #version,
            key: &[#key],
            topic_default: #topic_default,
            topic_exclusive: #topic_exclusive,
            doc: #doc,
        })
    }
}

fn wire_name(model: &Model, member: &Member) -> String {
    let Member::Named(name) = member else {
        return member.to_token_stream().to_string();
    };
    let Body::Named(fields) = &model.body else {
        return plain(name);
    };
    let field = fields
        .iter()
        .find(|field| plain(&field.ident) == plain(name));
    field
        .and_then(|field| field.wire.names.first().cloned())
        .unwrap_or_else(|| plain(name))
}

fn key(model: &Model) -> TokenStream {
    let private = &model.private;
    let Some((_, members)) = &model.key else {
        return quote!(#private::Option::None);
    };
    // Spanned at the option, where a type that cannot be a key is to be seen.
    let mut parts = members.iter().map(|member| {
        let private = krate::at(member.span(), private);
        quote_spanned!(member.span()=> #private::KeyPart::key_part(&self.#member))
    });
    match (parts.next(), parts.next()) {
        (Some(part), None) => quote!(#private::Option::Some(#part)),
        (first, second) => {
            let all = first.into_iter().chain(second).chain(parts);
            quote!(#private::Option::Some(#private::join_key(&[#(#all),*])))
        }
    }
}
