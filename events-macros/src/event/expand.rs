//! What `#[event]` generates.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{LitStr, Member};

use super::attr::Fallback;
use super::model::{Body, Field, Model, Newtype};
use super::{command, lock, payload};
use crate::options::plain;
use crate::{derives, krate};

/// `locked` is the contract file's content: it has the event compiled anew when the file changes.
pub(super) fn expand(model: &Model, locked: &TokenStream) -> TokenStream {
    let (private, item) = (&model.private, &model.item);
    let derives = model.derives.then(|| derives::serde(private));
    let deprecated = deprecated(model);
    let implementations = implementations(model, locked);
    quote! {
        #derives
        #deprecated
        #item

        #implementations
    }
}

/// What stands behind the item.
pub(super) fn implementations(model: &Model, locked: &TokenStream) -> TokenStream {
    let Model {
        private,
        conditions,
        ..
    } = model;
    let payload = match &model.body {
        Body::Unknown => payload::unknown(model),
        Body::Unit => payload::unit(model),
        Body::Named(fields) if model.flat => payload::flat(model, fields),
        Body::Named(fields) if !model.derives => payload::named(model, fields),
        _ => TokenStream::new(),
    };
    let event = event(model, locked);
    let kind = command::expand(model);
    let ident = &model.item.ident;
    quote! {
        #conditions
        // The event, its fields, and the types in them: the user is warned where they name these themselves.
        #[allow(deprecated)]
        const _: () = {
            #payload
            #event
            #kind
            #private::inventory::submit! {
                #private::EventRegistration(<#ident as #private::Event>::DESCRIPTOR)
            }
        };
    }
}

/// What has the compiler warn wherever the type is named.
fn deprecated(model: &Model) -> Option<TokenStream> {
    let instead = model.deprecated.as_ref()?;
    Some(quote!(#[deprecated(note = #instead)]))
}

fn event(model: &Model, locked: &TokenStream) -> TokenStream {
    let (private, ident) = (&model.private, &model.item.ident);
    let codec = match &model.codec {
        Some(codec) => codec.to_token_stream(),
        None => quote!(#private::Json),
    };
    let descriptor = descriptor(model, locked);
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
    quote_spanned! {Span::mixed_site()=>
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

fn descriptor(model: &Model, locked: &TokenStream) -> TokenStream {
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
    let owner = match &model.owner.service {
        Some(service) => quote!(#private::Option::Some(#service)),
        None => quote!(#private::Option::None),
    };
    let key = model.key.as_ref().map(|(_, members)| {
        let names = members.iter().map(|member| wire_name(model, member));
        quote!(#(#names),*)
    });
    let fields: Vec<_> = match &model.body {
        Body::Named(fields) => {
            let fields = fields.iter().filter_map(|field| tokens(private, field));
            fields.collect()
        }
        Body::Newtype(newtype) => vec![whole(private, newtype)],
        Body::Unit | Body::Unknown | Body::Wrong(..) => Vec::new(),
    };
    let lock = model.lock.as_ref().map(LitStr::value).unwrap_or_default();
    let switch = lock::SWITCH;
    let deprecated = match &model.deprecated {
        Some(instead) => quote!(#private::Option::Some(#instead)),
        None => quote!(#private::Option::None),
    };
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
            owner: #owner,
            version: #version,
            key: &[#key],
            topic_default: #topic_default,
            topic_exclusive: #topic_exclusive,
            doc: #doc,
            fields: &[#(#fields),*],
            location: ::core::concat!(::core::file!(), ":", ::core::line!()),
            deprecated: #deprecated,
            lock: #lock,
            locked: #locked,
            switch: ::core::option_env!(#switch),
        })
    }
}

/// A field as contracts hold it. One that only its schema can tell of is left out.
fn tokens(private: &TokenStream, field: &Field) -> Option<TokenStream> {
    let name = field.wire.names.first()?;
    let ty = lock::type_text(&field.ty, field.wire.own_form.as_deref());
    let required = !field.optional;
    let default = match &field.default {
        Some(Fallback::Function(function)) => {
            function.to_token_stream().to_string().replace(' ', "")
        }
        Some(Fallback::Type) => "type".to_owned(),
        None if field.wire.default => "serde".to_owned(),
        None => String::new(),
    };
    // Versions begin at 1: nothing is older than 0.
    let upcast_since = field.upcast_since().unwrap_or_default();
    Some(quote! {
        #private::DeclaredField {
            name: #name,
            ty: #ty,
            required: #required,
            default: #default,
            upcast_since: #upcast_since,
        }
    })
}

/// What a newtype holds, which is the whole payload and has no name.
fn whole(private: &TokenStream, newtype: &Newtype) -> TokenStream {
    let ty = lock::type_text(&newtype.ty, newtype.own_form.as_deref());
    quote! {
        #private::DeclaredField {
            name: "",
            ty: #ty,
            required: true,
            default: "",
            upcast_since: 0,
        }
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
        let span = krate::span(member);
        let private = krate::at(span, private);
        quote_spanned!(span=> #private::KeyPart::key_part(&self.#member))
    });
    match (parts.next(), parts.next()) {
        (Some(part), None) => quote!(#private::Option::Some(#part)),
        (first, second) => {
            let all = first.into_iter().chain(second).chain(parts);
            quote!(#private::Option::Some(#private::join_key(&[#(#all),*])))
        }
    }
}
