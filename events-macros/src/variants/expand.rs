//! What the derives generate.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::Kind;
use super::model::{Body, Content, Model, Variant};

pub(super) fn expand(model: &Model) -> TokenStream {
    let variants: &[Variant] = match &model.body {
        Body::Enum(variants) => variants,
        Body::Wrong(_) => &[],
    };
    let implementation = match model.kind {
        Kind::Emission => emission(model, variants),
        Kind::OneOf => one_of(model, variants),
    };
    quote! {
        const _: () = {
            #[automatically_derived]
            #implementation
        };
    }
}

fn emission(model: &Model, variants: &[Variant]) -> TokenStream {
    let Model { private, ident, .. } = model;
    let [types, value, emissions] = ["types", "value", "emissions"].map(local);
    let declare = contents(variants)
        .map(|(_, ty)| quote_spanned!(ty.span()=> <#ty as #private::Emission>::declare(#types);));
    let emit = variants
        .iter()
        .map(|Variant { ident, content }| match content {
            Content::One(ty) => {
                let emit = quote_spanned!(ty.span()=> <#ty as #private::Emission>::emit);
                quote!(Self::#ident(#value) => #emit(#value, #emissions),)
            }
            Content::Nothing | Content::Wrong(_) => {
                quote!(Self::#ident => #private::Result::Ok(()),)
            }
        });
    quote! {
        impl #private::Emission for #ident {
            fn declare(#types: &mut #private::Types) {
                #(#declare)*
            }
            fn emit(self, #emissions: &mut #private::Emissions) -> #private::Outcome<()> {
                match self { #(#emit)* }
            }
        }
    }
}

fn one_of(model: &Model, variants: &[Variant]) -> TokenStream {
    let Model { private, ident, .. } = model;
    let [types, delivery] = ["types", "delivery"].map(local);
    let declare = contents(variants).map(
        |(_, ty)| quote_spanned!(ty.span()=> #types.push(<#ty as #private::Event>::DESCRIPTOR);),
    );
    let decode = contents(variants).map(|(variant, ty)| {
        let decode = quote_spanned!(ty.span()=> #private::decode_if::<#ty>(#delivery)?);
        quote! {
            if let #private::Option::Some(event) = #decode {
                return #private::Result::Ok(Self::#variant(event));
            }
        }
    });
    let name = crate::options::plain(ident);
    quote! {
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
