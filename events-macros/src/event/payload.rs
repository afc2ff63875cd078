//! How an event is written and read, where serde's own derive is not needed.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::Index;

use super::attr::Fallback;
use super::model::{Field, Model};
use crate::krate;
use crate::options::plain;

/// A struct without fields is `{}` on the wire, not `null`, so that fields may come later.
pub(super) fn unit(model: &Model) -> TokenStream {
    let (private, ident) = (&model.private, &model.item.ident);
    let serialize = quote_spanned!(Span::mixed_site()=> #private::serde::Serialize::serialize(&#private::Empty {}, serializer));
    let deserialize = quote_spanned! {Span::mixed_site()=>
        let _: #private::Empty = #private::serde::Deserialize::deserialize(deserializer)?;
        #private::Result::Ok(#ident)
    };
    let schema = quote_spanned!(Span::mixed_site()=> <#private::Empty as #private::schemars::JsonSchema>::json_schema(generator));
    implementations(model, serialize, deserialize, schema)
}

/// A struct of which nothing is known: it is neither written nor read.
pub(super) fn unknown(model: &Model) -> TokenStream {
    let private = &model.private;
    let serialize = quote_spanned!(Span::mixed_site()=> #private::serde::Serialize::serialize(&#private::Empty {}, serializer));
    let deserialize = quote_spanned! {Span::mixed_site()=>
        let _: #private::Empty = #private::serde::Deserialize::deserialize(deserializer)?;
        ::core::unreachable!()
    };
    let schema = quote_spanned!(Span::mixed_site()=> <#private::Empty as #private::schemars::JsonSchema>::json_schema(generator));
    implementations(model, serialize, deserialize, schema)
}

/// A struct with named fields.
pub(super) fn named(model: &Model, fields: &[Field]) -> TokenStream {
    let private = &model.private;
    let count = fields.len();
    let write = fields.iter().map(|field| {
        let (ident, name, write) = (
            &field.ident,
            field.wire_name(),
            role(private, field, "write"),
        );
        quote_spanned!(krate::span(&field.ty)=> #write(&self.#ident, &mut writer, #name);)
    });
    let serialize = quote_spanned! {Span::mixed_site()=>
        let mut writer = #private::Writer::new(serializer, #count);
        #(#write)*
        writer.end()
    };
    let deserialize = quote_spanned! {Span::mixed_site()=>
        #private::serde::Deserializer::deserialize_map(deserializer, #private::Struct::<Self>::NEW)
    };
    let properties = fields.iter().map(|field| property(private, field));
    let doc = &model.doc;
    let schema = quote_spanned!(Span::mixed_site()=> #private::object(#doc, &mut ::core::iter::IntoIterator::into_iter([#(#properties),*])));
    let implementations = implementations(model, serialize, deserialize, schema);
    let read = read(model, fields);
    quote_spanned!(Span::mixed_site()=> #read #implementations)
}

/// A struct whose fields are all scalars.
pub(super) fn flat(model: &Model, fields: &[Field]) -> TokenStream {
    let (private, doc, ident) = (&model.private, &model.doc, &model.item.ident);
    let name = plain(ident);
    let names = fields.iter().map(Field::wire_name);
    let scalar = |field: &Field, item: &str| of(private, field, "Scalar", item);
    let described = fields.iter().map(|field| {
        let (doc, kind) = (&field.doc, scalar(field, "KIND"));
        let default = field.default.is_some();
        quote_spanned!(Span::mixed_site()=> #private::ScalarField { doc: #doc, kind: #kind, default: #default })
    });
    let values = fields.iter().map(|field| {
        let (ident, value) = (&field.ident, scalar(field, "value"));
        quote_spanned!(krate::span(&field.ty)=> #value(&self.#ident))
    });
    let moved = fields.iter().enumerate().map(|(index, field)| {
        let ident = &field.ident;
        let value = match &field.default {
            Some(Fallback::Function(function)) => {
                quote_spanned!(krate::span(function)=> #private::take_scalar_or(&mut slots[#index], #function))
            }
            Some(Fallback::Type) | None => quote_spanned!(Span::mixed_site()=> #private::take_scalar(&mut slots[#index])),
        };
        quote_spanned!(Span::mixed_site()=> #ident: #value,)
    });
    let count = fields.len();
    let shape = quote_spanned!(Span::mixed_site()=> <Self as #private::Flat>::SHAPE);
    let implementations = implementations(
        model,
        quote_spanned!(Span::mixed_site()=> #private::write_flat(serializer, #shape, &[#(#values),*])),
        quote_spanned!(Span::mixed_site()=> #private::read_flat(deserializer)),
        quote_spanned!(Span::mixed_site()=> #private::flat_schema(generator, #shape)),
    );
    quote_spanned! {Span::mixed_site()=>
        impl #private::Flat for #ident {
            const SHAPE: &'static #private::Shape = &#private::Shape {
                name: #name,
                doc: #doc,
                names: &[#(#names),*],
                fields: &[#(#described),*],
            };
            type Slots = [#private::ScalarSlot; #count];
            const EMPTY: Self::Slots = [const { #private::ScalarSlot::Empty }; #count];
            fn build(slots: &mut Self::Slots) -> Self {
                #ident { #(#moved)* }
            }
        }
        #implementations
    }
}

/// The part of reading that the core cannot do for every struct.
fn read(model: &Model, fields: &[Field]) -> TokenStream {
    let (private, ident) = (&model.private, &model.item.ident);
    let name = plain(ident);
    let names: Vec<_> = fields.iter().map(Field::wire_name).collect();
    let types = fields.iter().map(|field| &field.ty);
    let nothing = fields
        .iter()
        .map(|_| quote_spanned!(Span::mixed_site()=> #private::Option::None));
    let fill = fields.iter().enumerate().map(|(index, field)| {
        let (slot, fill) = (Index::from(index), role(private, field, "fill"));
        quote_spanned!(krate::span(&field.ty)=> #index => #fill(&mut slots.#slot, map),)
    });
    let build = fields.iter().enumerate().map(|(index, field)| {
        let (slot, ident, name) = (Index::from(index), &field.ident, &names[index]);
        let value = match &field.default {
            None => {
                let or_missing = role(private, field, "or_missing");
                quote_spanned!(krate::span(&field.ty)=> #or_missing(&mut slots.#slot, #name)?)
            }

            Some(Fallback::Type) => quote_spanned!(krate::span(&field.ty)=> #private::Option::unwrap_or_default(slots.#slot.take())),
            Some(Fallback::Function(function)) => {
                quote_spanned!(krate::span(function)=> #private::Option::unwrap_or_else(slots.#slot.take(), #function))
            }
        };
        quote_spanned!(Span::mixed_site()=> #ident: #value,)
    });
    let error = local("__Error");
    let access = local("__Access");
    quote_spanned! {Span::mixed_site()=>
        impl #private::Fields for #ident {
            const NAME: &'static str = #name;
            const FIELDS: &'static [&'static str] = &[#(#names),*];
            type Slots = (#(#private::Option<#types>,)*);
            fn slots() -> Self::Slots {
                (#(#nothing,)*)
            }
            fn read<'de, #access: #private::MapAccess<'de>>(
                slots: &mut Self::Slots,
                index: usize,
                map: &mut #access,
            ) -> #private::Result<(), #access::Error> {
                match index {
                    #(#fill)*
                    _ => #private::Result::Ok(()),
                }
            }
            fn build<#error: #private::DeserializeError>(slots: &mut Self::Slots) -> #private::Result<Self, #error> {
                #private::Result::Ok(#ident { #(#build)* })
            }
        }
    }
}

fn property(private: &TokenStream, field: &Field) -> TokenStream {
    let (name, doc) = (field.wire_name(), &field.doc);
    let optional = match field.default {
        Some(_) => quote_spanned!(Span::mixed_site()=> true),
        None => {
            let is_optional = role(private, field, "is_optional");
            quote_spanned!(Span::mixed_site()=> #is_optional())
        }
    };
    let schema = role(private, field, "schema");
    quote_spanned!(Span::mixed_site()=> #private::Property { name: #name, doc: #doc, optional: #optional, schema: #schema(generator) })
}

/// What a field's type does, spanned at the type, where it is to be seen that it cannot. A path and nothing else: so
/// all errors of one field are the same, and the compiler shows them once.
fn role(private: &TokenStream, field: &Field, item: &str) -> TokenStream {
    of(private, field, "Field", item)
}

fn of(private: &TokenStream, field: &Field, role: &str, item: &str) -> TokenStream {
    let (ty, span) = (&field.ty, krate::span(&field.ty));
    let private = krate::at(span, private);
    let (role, item) = (Ident::new(role, span), Ident::new(item, span));
    quote_spanned!(span=> <#ty as #private::#role>::#item)
}

fn implementations(
    model: &Model,
    serialize: TokenStream,
    deserialize: TokenStream,
    schema: TokenStream,
) -> TokenStream {
    let (private, ident) = (&model.private, &model.item.ident);
    let name = plain(ident);
    let serializer = local("__Serializer");
    let deserializer = local("__Deserializer");
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #private::serde::Serialize for #ident {
            fn serialize<#serializer: #private::serde::Serializer>(
                &self,
                serializer: #serializer,
            ) -> #private::Result<#serializer::Ok, #serializer::Error> {
                #serialize
            }
        }
        #[automatically_derived]
        impl<'de> #private::serde::Deserialize<'de> for #ident {
            fn deserialize<#deserializer: #private::serde::Deserializer<'de>>(
                deserializer: #deserializer,
            ) -> #private::Result<Self, #deserializer::Error> {
                #deserialize
            }
        }
        #[automatically_derived]
        impl #private::schemars::JsonSchema for #ident {
            fn schema_name() -> #private::Cow<'static, str> {
                #private::Cow::Borrowed(#name)
            }
            fn schema_id() -> #private::Cow<'static, str> {
                #private::Cow::Borrowed(::core::concat!(::core::module_path!(), "::", #name))
            }
            fn json_schema(generator: &mut #private::schemars::SchemaGenerator) -> #private::schemars::Schema {
                #schema
            }
        }
    }
}

/// A type parameter that no type of the user's can be called.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
