//! What the derives know of an enum.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Data, DeriveInput, Fields, Generics, Type};

use super::Kind;
use super::attr::{Options, VariantOptions};
use crate::errors::Errors;
use crate::krate;

/// An enum of events.
pub(super) struct Model {
    pub(super) kind: Kind,
    /// The core's `__private` module.
    pub(super) private: TokenStream,
    pub(super) ident: Ident,
    pub(super) generics: Generics,
    pub(super) body: Body,
}

/// The shape of the item.
pub(super) enum Body {
    Enum(Vec<Variant>),
    /// No enum: its keyword.
    Wrong(TokenStream),
}

/// A variant.
pub(super) struct Variant {
    pub(super) ident: Ident,
    pub(super) content: Content,
    /// The option by which its event tells of a failure.
    pub(super) failure: Option<Ident>,
}

/// What a variant holds.
pub(super) enum Content {
    Nothing,
    One(Box<Type>),
    /// Several fields, or fields with names.
    Wrong(TokenStream),
}

impl Model {
    pub(super) fn read(
        kind: Kind,
        options: Options,
        item: DeriveInput,
        errors: &mut Errors,
    ) -> Self {
        let body = match item.data {
            Data::Enum(data) => {
                let variants = data.variants.into_iter();
                Body::Enum(variants.map(|item| variant(kind, item, errors)).collect())
            }
            Data::Struct(data) => Body::Wrong(data.struct_token.to_token_stream()),
            Data::Union(data) => Body::Wrong(data.union_token.to_token_stream()),
        };
        Self {
            kind,
            private: krate::private(options.krate.as_ref(), errors),
            ident: item.ident,
            generics: item.generics,
            body,
        }
    }
}

fn variant(kind: Kind, variant: syn::Variant, errors: &mut Errors) -> Variant {
    let options = VariantOptions::read(kind, &variant, errors);
    let content = match variant.fields {
        Fields::Unit => Content::Nothing,
        Fields::Unnamed(mut fields) if fields.unnamed.len() == 1 => fields
            .unnamed
            .pop()
            .map_or(Content::Nothing, |field| Content::One(Box::new(field.ty))),
        fields => Content::Wrong(fields.to_token_stream()),
    };
    Variant {
        ident: variant.ident,
        content,
        failure: options.failure,
    }
}
