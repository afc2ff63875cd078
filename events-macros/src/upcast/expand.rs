//! What `#[upcast]` generates.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::model::Model;
use crate::krate;

pub(super) fn expand(model: &Model) -> TokenStream {
    let Model {
        private,
        conditions,
        ..
    } = model;
    let function = &model.signature.ident;
    let event = match &model.options.event {
        Some(event) => event.to_token_stream(),
        None => model.new.to_token_stream(),
    };
    let (from, at) = model.options.from.unwrap_or((1, Span::call_site()));
    let span = krate::span(&event);
    let private_there = krate::at(span, private);
    let descriptor = quote_spanned!(span=> <#event as #private_there::Event>::DESCRIPTOR);
    let to = match model.options.to {
        Some((to, _)) => to.to_token_stream(),
        None if model.returns_event() => quote!(#descriptor.version),
        None => (from + 1).to_token_stream(),
    };
    let to_at = model.options.to.map_or(at, |(_, span)| span);
    let apply = apply(model, &event);
    let below = format!(
        "an upcaster takes an earlier version of the event than this build writes, and {from} is not: raise the event's \
         `version`, or correct `from`"
    );
    let reaches = "an upcaster leads to a version that this build knows: raise the event's `version`, or correct `to`";
    let below = quote_spanned!(at=> ::core::assert!(#from < #descriptor.version, #below));
    let reaches = quote_spanned!(to_at=> ::core::assert!(#from >= #descriptor.version || #to <= #descriptor.version, #reaches));
    quote! {
        #conditions
        #[allow(deprecated)]
        const _: () = {
            const _: () = #below;
            const _: () = #reaches;
            #private::inventory::submit! {
                #private::UpcasterRegistration(&#private::Upcaster::new(
                    #descriptor,
                    (#from, #to),
                    (
                        ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#function)),
                        ::core::concat!(::core::file!(), ":", ::core::line!()),
                    ),
                    #apply,
                ))
            }
        };
    }
}

/// The step from encoded payload to encoded payload.
fn apply(model: &Model, event: &TokenStream) -> TokenStream {
    let private = &model.private;
    let function = &model.signature.ident;
    let (old, new) = (model.old.to_token_stream(), model.new.to_token_stream());
    let call = if model.fallible {
        quote!(|old| #private::Result::map_err(#function(old), ::core::convert::Into::into))
    } else {
        quote!(|old| #private::Result::Ok(#function(old)))
    };
    // Spanned at the types, where one that cannot be read or written is to be seen.
    let old = quote_spanned!(krate::span(&old)=> #old);
    let new = quote_spanned!(krate::span(&new)=> #new);
    quote! {
        |value| #private::apply_upcast::<<#event as #private::Event>::Codec, #old, #new>(value, #call)
    }
}
