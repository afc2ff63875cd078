//! What the derives generate.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{GenericArgument, PathArguments, Type};

use super::Kind;
use super::model::{Body, Content, Model, Variant};
use crate::krate;

pub(super) fn expand(model: &Model) -> TokenStream {
    let variants: &[Variant] = match &model.body {
        Body::Enum(variants) => variants,
        Body::Wrong(_) => &[],
    };
    match model.kind {
        Kind::Emission => emission(model, variants),
        Kind::OneOf => one_of(model, variants),
    }
}

/// What stands in for the derive of a faulty enum, so that its handlers are not faulty too.
pub(super) fn stub(model: &Model) -> TokenStream {
    match (&model.body, model.kind) {
        _ if !model.generics.params.is_empty() => TokenStream::new(),
        (_, Kind::OneOf) => one_of(model, &[]),
        (_, Kind::Emission) => {
            let private = &model.private;
            let nothing = TokenStream::new;
            implement_emission(
                model,
                nothing(),
                nothing(),
                quote!(#private::Result::Ok(())),
            )
        }
    }
}

fn emission(model: &Model, variants: &[Variant]) -> TokenStream {
    let private = &model.private;
    let [types, value, emissions] = ["types", "value", "emissions"].map(local);
    let role = |ty: &Type, item: &str| {
        let span = krate::span(ty);
        let private = krate::at(span, private);
        let item = Ident::new(item, span);
        quote_spanned!(span=> <#ty as #private::Emission>::#item)
    };
    let declare = contents(variants).map(|(_, ty)| {
        let declare = role(ty, "declare");
        quote_spanned!(krate::span(ty)=> #declare(#types);)
    });
    let failures = variants.iter().filter_map(|variant| {
        let Content::One(ty) = &variant.content else {
            return None;
        };
        // Whatever a marked variant holds tells of the failure; of others what they hold knows.
        let declare = match variant.failure {
            Some(_) => role(ty, "declare"),
            None => role(ty, "declare_failures"),
        };
        Some(quote_spanned!(krate::span(ty)=> #declare(#types);))
    });
    let emit = variants
        .iter()
        .map(|Variant { ident, content, .. }| match content {
            Content::One(ty) => {
                let emit = role(ty, "emit");
                quote!(Self::#ident(#value) => #emit(#value, #emissions),)
            }
            Content::Nothing | Content::Wrong(_) => {
                quote!(Self::#ident => #private::Result::Ok(()),)
            }
        });
    implement_emission(
        model,
        quote!(#(#declare)*),
        quote!(#(#failures)*),
        quote!(match self { #(#emit)* }),
    )
}

fn implement_emission(
    model: &Model,
    declare: TokenStream,
    failures: TokenStream,
    emit: TokenStream,
) -> TokenStream {
    let Model { private, ident, .. } = model;
    let [types, emissions] = ["types", "emissions"].map(local);
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #private::Emission for #ident {
            fn declare(#types: &mut #private::Types) {
                #declare
            }
            fn declare_failures(#types: &mut #private::Types) {
                #failures
            }
            fn emit(self, #emissions: &mut #private::Emissions) -> #private::Outcome<()> {
                #emit
            }
        }
    }
}

fn one_of(model: &Model, variants: &[Variant]) -> TokenStream {
    let Model { private, ident, .. } = model;
    let [types, delivery, event] = ["types", "delivery", "event"].map(local);
    let variant = |ty: &Type| {
        let span = krate::span(ty);
        let private = krate::at(span, private);
        quote_spanned!(span=> <#ty as #private::Variant>)
    };
    let declare = contents(variants).map(|(_, ty)| {
        let variant = variant(boxed(ty).unwrap_or(ty));
        quote!(#variant::declare(#types);)
    });
    let decode = contents(variants).map(|(name, ty)| {
        let decode = variant(boxed(ty).unwrap_or(ty));
        let content = match boxed(ty) {
            Some(_) => quote!(#private::Box::new(#event)),
            None => event.to_token_stream(),
        };
        quote! {
            if let #private::Option::Some(#event) = #decode::decode(#delivery)? {
                return #private::Result::Ok(Self::#name(#content));
            }
        }
    });
    let name = crate::options::plain(ident);
    quote! {
        #[automatically_derived]
        #[allow(deprecated)]
        impl #private::Input for #ident {
            fn declare(#types: &mut #private::Types) {
                #(#declare)*
            }
            fn decode(#delivery: &#private::Delivery<'_>) -> #private::Outcome<Self> {
                #(#decode)*
                #private::Result::Err(#private::not_taken(#name, #delivery))
            }
        }
    }
}

/// What a `Box` holds: clippy asks for one around a large event.
fn boxed(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else {
        return None;
    };
    let last = path.path.segments.last()?;
    match &last.arguments {
        PathArguments::AngleBracketed(of) if last.ident == "Box" && of.args.len() == 1 => {
            match of.args.first()? {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            }
        }
        _ => None,
    }
}

fn contents(variants: &[Variant]) -> impl Iterator<Item = (&Ident, &Type)> {
    variants
        .iter()
        .filter_map(|variant| match &variant.content {
            Content::One(ty) => Some((&variant.ident, &**ty)),
            Content::Nothing | Content::Wrong(_) => None,
        })
}

/// A variable that no name of the user's can meet.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
