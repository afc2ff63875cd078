//! `#[event(other)]`: the catch-all of an enum, which reads the variants that a later version adds.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, Data, DataEnum, DeriveInput, Fields, LitStr, Variant, parse_quote};

use crate::errors::Errors;
use crate::options::{self, Given, Usage, Value};
use crate::{attributes, derives};

const VARIANT: [Usage; 1] = [("other", "`other`")];

/// How an enum says which variant it is.
enum Tag {
    /// `"Red"` or `{"Mixed": …}`
    Outside,
    /// A field among those of the variant, `#[serde(tag = "…")]`.
    Inside(LitStr),
}

/// Takes `#[event(…)]` off the item; whether a variant, then the last, is the catch-all.
pub(super) fn read(item: &mut DeriveInput, errors: &mut Errors) -> bool {
    for wrong in attributes::take(&mut item.attrs, "event") {
        errors.at(
            wrong,
            "a payload is no event: `#[event(other)]` stands on the last variant of an enum, and other options on an event",
        );
    }
    match &mut item.data {
        Data::Enum(data) => mark(data, errors) && fits(item, errors),
        Data::Struct(data) => {
            for field in &mut data.fields {
                refuse(&mut field.attrs, errors);
            }
            false
        }
        Data::Union(_) => false,
    }
}

fn refuse(attributes: &mut Vec<Attribute>, errors: &mut Errors) {
    for wrong in attributes::take(attributes, "event") {
        errors.at(
            wrong,
            "a field of a payload has no options: `#[event(other)]` stands on the last variant of an enum; for a default or \
             another name write `#[serde(…)]`",
        );
    }
}

/// Marks the catch-all; whether there is one, where it can be.
fn mark(data: &mut DataEnum, errors: &mut Errors) -> bool {
    let last = data.variants.len().saturating_sub(1);
    let mut found = false;
    for (index, variant) in data.variants.iter_mut().enumerate() {
        for field in &mut variant.fields {
            refuse(&mut field.attrs, errors);
        }
        for attribute in attributes::take(&mut variant.attrs, "event") {
            let options = options::read(attributes::arguments(&attribute), &VARIANT, errors);
            if options.is_empty() && attributes::arguments(&attribute).is_empty() {
                errors.at(&attribute, "say which option: `#[event(other)]`");
            }
            for other in options {
                if !other.flag(errors).unwrap_or_default() {
                    continue;
                }
                if found {
                    errors.at(&other, "an enum has one catch-all: remove this `other`");
                } else if !matches!(variant.fields, Fields::Unit) {
                    errors.at(
                        &variant.fields,
                        "what an unknown variant holds is not known: the catch-all has no fields",
                    );
                } else if index != last {
                    errors.at(
                        &other,
                        "the catch-all stands last: move it behind the others",
                    );
                }
                found = true;
            }
        }
    }
    found
}

/// Whether the enum can have a catch-all at all.
fn fits(item: &DeriveInput, errors: &mut Errors) -> bool {
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics.params,
            "an enum with a catch-all has neither type parameters nor lifetimes: use owned, concrete types",
        );
    }
    let own = serde(&item.attrs);
    let variants: &[_] = &match &item.data {
        Data::Enum(data) => data.variants.iter().collect::<Vec<_>>(),
        Data::Struct(_) | Data::Union(_) => Vec::new(),
    };
    let inner = variants.iter().flat_map(|variant| serde(&variant.attrs));
    for given in own.into_iter().chain(inner) {
        match given.name().as_str() {
            "untagged" => errors.at(
                &given,
                "without a tag nobody knows which variant it is, and so not which are unknown: remove `untagged`, or `#[event(other)]`",
            ),
            "content" => errors.at(
                &given,
                "a catch-all cannot pass over content beside the tag: leave `content` out, so that the fields stand in the \
                 variant, or both `tag` and `content`",
            ),
            _ => {}
        }
    }
    true
}

fn serde(attributes: &[Attribute]) -> Vec<Given> {
    let ours = attributes.iter().filter(|one| one.path().is_ident("serde"));
    ours.flat_map(options::foreign).collect()
}

/// The enum with its derives, and how it is read.
pub(super) fn expand(mut item: DeriveInput, private: &TokenStream) -> TokenStream {
    if let Data::Enum(data) = &mut item.data
        && let Some(other) = data.variants.last_mut()
    {
        other.attrs.push(parse_quote!(#[serde(other)]));
    }
    let tag = serde(&item.attrs)
        .into_iter()
        .find(|given| given.name() == "tag");
    let tag = tag.and_then(|given| match given.value {
        Value::Equals(tokens) => syn::parse2::<LitStr>(tokens).ok(),
        Value::Flag | Value::List(_) => None,
    });
    match tag.map_or(Tag::Outside, Tag::Inside) {
        Tag::Inside(tag) => {
            let derives = derives::serde(private);
            quote! {
                #derives
                #[schemars(transform = #private::open_schema(#tag))]
                #item
            }
        }
        Tag::Outside => outside(&item, private),
    }
}

fn outside(item: &DeriveInput, private: &TokenStream) -> TokenStream {
    let derives = derives::written(private);
    let conditions = attributes::conditions(&item.attrs);
    let ident = &item.ident;
    let name = options::plain(ident);
    let derived = derived(item, private);
    let deserializer = syn::Ident::new("__Deserializer", Span::call_site());
    quote! {
        #derives
        #[schemars(transform = #private::open_schema(""))]
        #item

        #conditions
        #[allow(deprecated)]
        const _: () = {
            #derived
            impl #private::Open for #ident {
                const NAME: &'static str = #name;
                fn derived<'de, #deserializer: #private::serde::Deserializer<'de>>(
                    deserializer: #deserializer,
                ) -> #private::Result<Self, #deserializer::Error> {
                    __Derived::deserialize(deserializer)
                }
            }
            #[automatically_derived]
            impl<'de> #private::serde::Deserialize<'de> for #ident {
                fn deserialize<#deserializer: #private::serde::Deserializer<'de>>(
                    deserializer: #deserializer,
                ) -> #private::Result<Self, #deserializer::Error> {
                    #private::read_open(deserializer)
                }
            }
        };
    }
}

/// The same enum once more, of which serde derives how to read the first.
fn derived(item: &DeriveInput, private: &TokenStream) -> TokenStream {
    let mut item = item.clone();
    let remote = item.ident.to_string();
    item.ident = syn::Ident::new("__Derived", Span::call_site());
    item.vis = syn::Visibility::Inherited;
    keep(&mut item.attrs);
    if let Data::Enum(data) = &mut item.data {
        for variant in &mut data.variants {
            variant.discriminant = None;
            keep_variant(variant);
        }
    }
    let serde = format!("{private}::serde").replace(' ', "");
    quote! {
        #[derive(#private::serde::Deserialize)]
        #[serde(crate = #serde, remote = #remote)]
        #[allow(dead_code)]
        #item
    }
}

fn keep_variant(variant: &mut Variant) {
    keep(&mut variant.attrs);
    for field in &mut variant.fields {
        keep(&mut field.attrs);
    }
}

/// Keeps what decides how the enum is read.
fn keep(attributes: &mut Vec<Attribute>) {
    attributes.retain(|one| one.path().is_ident("serde") || one.path().is_ident("cfg"));
}
