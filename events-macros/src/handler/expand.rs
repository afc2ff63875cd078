//! What `#[handler]` generates.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::attr::{Exhausted, Ordering, Park, Start};
use super::model::Model;
use crate::{krate, options};

pub(super) fn expand(model: &Model) -> TokenStream {
    let Model {
        private,
        name,
        doc,
        conditions,
        ..
    } = model;
    let policy = policy(model);
    let blocking = model.options.blocking.is_some();
    let takes = takes(model);
    let emits = emits(model);
    let failures = role(private, &model.output, "Emission", "declare_failures");
    let needs = needs(model);
    let check = check(model);
    let call = call(model);
    let function = &model.signature.ident;
    // The macro puts it into an item that an `impl` cannot hold: its name is what the compiler then says.
    let holder = Ident::new(
        &format!("__handler_{}", options::plain(&model.signature.ident)),
        Span::call_site(),
    );
    quote! {
        #conditions
        #private::a_handler_is_a_free_function_outside_of_impl! {
            #holder
            #private::inventory::submit! {
                #private::HandlerRegistration(&#private::HandlerDescriptor {
                    name: #name,
                    module: ::core::module_path!(),
                    package: ::core::env!("CARGO_PKG_NAME"),
                    location: ::core::concat!(::core::file!(), ":", ::core::line!()),
                    doc: #doc,
                    options: #policy,
                    blocking: #blocking,
                    takes: #takes,
                    emits: #emits,
                    failures: #failures,
                    needs: #needs,
                    check: #check,
                    function: || #private::function_type(&#function),
                    call: #call,
                })
            }
        }
    }
}

/// Lints of clippy that ask for what a handler may not do: take by reference, or be no `async fn`.
pub(super) fn lints() -> TokenStream {
    quote!(#[allow(clippy::needless_pass_by_value, clippy::unused_async)])
}

/// The parts of a call, from which the core's loop makes it.
fn call(model: &Model) -> TokenStream {
    let private = &model.private;
    let function = &model.signature.ident;
    let emit = role(private, &model.output, "Emission", "emit");
    match (&model.arguments[..], &model.options.blocking) {
        ([input], None) => {
            let decode = role(private, input, "Input", "decode");
            // Spanned at the function, where a future that is not `Send` is to be seen.
            let span = krate::span(function);
            let plain = krate::at(span, &quote!(#private::Plain));
            quote_spanned!(span=> &#plain { decode: #decode, handler: #function, emit: #emit })
        }
        _ => prepared(model, &emit),
    }
}

fn prepared(model: &Model, emit: &TokenStream) -> TokenStream {
    let private = &model.private;
    let function = &model.signature.ident;
    let [slot, delivery] = ["slot", "delivery"].map(local);
    let rest = model.arguments.iter().skip(1);
    let prepared: Vec<_> = numbered("prepared", rest.len());
    let values: Vec<_> = numbered("argument", model.arguments.len());

    // Spanned as the type is, and not in the macro's place: so the errors of one type are the same here too.
    let each = rest.clone().map(|ty| {
        let prepare = role(private, ty, "Extract", "prepare");
        quote_spanned!(ty.span()=> #prepare(#slot.service())?)
    });
    let prepare = quote!(|#slot| #private::Result::Ok((#(#each,)*)));
    let first = model.arguments.iter().take(1).map(|ty| {
        let decode = role(private, ty, "Input", "decode");
        quote_spanned!(ty.span()=> #decode(#delivery))
    });
    let rest = rest.zip(&prepared).map(|(ty, prepared)| {
        let extract = role(private, ty, "Extract", "extract");
        quote_spanned!(ty.span()=> #extract(#prepared, #delivery))
    });
    let made = first.chain(rest);
    // A blocking call is made on the pool; an async one runs nothing yet.
    let (callable, call) = match model.options.blocking {
        Some(_) => (quote!(Blocking), quote!(move || #function(#(#values),*))),
        None => (quote!(Prepared), quote!(#function(#(#values),*))),
    };
    let [value, error] = ["value", "error"].map(local);
    let span = krate::span(function);
    let callable = krate::at(span, &quote!(#private::#callable));
    let start = quote_spanned! {span=>
        |(#(#prepared,)*), #delivery| {
            #(
                // Not `?`: its parts would be compiled for every handler.
                let #values = match #made {
                    #private::Result::Ok(#value) => #value,
                    #private::Result::Err(#error) => return #private::Result::Err(#error),
                };
            )*
            #private::Result::Ok(#call)
        }
    };
    quote_spanned!(span=> &#callable { prepare: #prepare, start: #start, emit: #emit })
}

/// What a type does in a handler, spanned at the type, where it is to be seen that it cannot. A path and nothing else:
/// so all errors of one type are the same, and the compiler shows them once.
fn role(private: &TokenStream, ty: &Type, role: &str, item: &str) -> TokenStream {
    // No local name stands in it, so the type's own span will do.
    let span = ty.span();
    let private = krate::at(span, private);
    let (role, item) = (Ident::new(role, span), Ident::new(item, span));
    quote_spanned!(span=> <#ty as #private::#role>::#item)
}

fn numbered(name: &str, count: usize) -> Vec<Ident> {
    (0..count)
        .map(|index| local(&format!("{name}_{index}")))
        .collect()
}

/// A variable that no name of the user's can meet.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

fn takes(model: &Model) -> TokenStream {
    let first = model.arguments.iter().take(1);
    first
        .map(|ty| role(&model.private, ty, "Input", "declare"))
        .collect()
}

fn emits(model: &Model) -> TokenStream {
    let private = &model.private;
    let returned = role(private, &model.output, "Emission", "declare");
    if model.options.emits.is_empty() {
        return returned;
    }
    let types = local("types");
    let further = model
        .options
        .emits
        .iter()
        .map(|ty| role(private, ty, "Event", "DESCRIPTOR"));
    quote!(|#types| { #returned(#types); #(#types.push(#further);)* })
}

fn needs(model: &Model) -> TokenStream {
    let private = &model.private;
    let mut each = model
        .arguments
        .iter()
        .skip(1)
        .map(|ty| role(private, ty, "Extract", "needs"));
    match each.len() {
        0 => quote!(#private::needs_nothing),
        1 => each.next().unwrap_or_default(),
        _ => {
            let needs = local("needs");
            quote!(|#needs| { #(#each(#needs);)* })
        }
    }
}

fn check(model: &Model) -> TokenStream {
    let private = &model.private;
    let rest = model.arguments.iter().skip(1);
    if rest.len() == 0 {
        return quote!(#private::check_nothing);
    }
    let [service, errors] = ["service", "errors"].map(local);
    let each = rest.map(|ty| {
        let prepare = role(private, ty, "Extract", "prepare");
        quote_spanned!(ty.span()=> #errors.extend(#prepare(#service).err());)
    });
    quote!(|#service, #errors| { #(#each)* })
}

fn policy(model: &Model) -> TokenStream {
    let (private, options) = (&model.private, &model.options);
    let mut given = Vec::new();
    let some = |value: TokenStream| quote!(#private::Option::Some(#value));
    for (field, value) in [
        ("service", &options.service),
        ("group", &options.group),
        ("renamed_from", &options.renamed_from),
    ] {
        given.extend(
            value
                .as_ref()
                .map(|value| (field, some(value.to_token_stream()))),
        );
    }
    given.extend(
        options
            .start
            .as_ref()
            .map(|(_, start)| ("start", some(self::start(private, *start)))),
    );
    given.extend(
        options
            .concurrency
            .map(|(number, _)| ("concurrency", some(number.to_token_stream()))),
    );
    given.extend(retry(model).map(|retry| ("retry", some(retry))));
    given.extend(
        options
            .park
            .as_ref()
            .map(|park| ("park", some(self::park(private, park)))),
    );
    given.extend(options.exhausted.map(|exhausted| {
        let exhausted = match exhausted {
            Exhausted::DeadLetter => quote!(#private::Exhausted::DeadLetter),
            Exhausted::Block => quote!(#private::Exhausted::Block),
        };
        ("exhausted", some(exhausted))
    }));
    given.extend(options.ordering.map(|ordering| {
        let ordering = match ordering {
            Ordering::Key => quote!(#private::Ordering::Key),
            Ordering::None => quote!(#private::Ordering::None),
        };
        ("ordering", ordering)
    }));
    given.extend(
        options
            .timeout
            .map(|timeout| ("timeout", some(duration(timeout)))),
    );
    given.extend(
        options
            .dedupe
            .map(|dedupe| ("dedupe", some(dedupe.to_token_stream()))),
    );
    if !options.allow_cycle.is_empty() {
        let events = &options.allow_cycle;
        given.push(("allow_cycle", quote!(&[#(#events),*])));
    }
    changed(quote!(#private::HandlerOptions::NONE), given)
}

/// A value with some fields changed.
fn changed(value: TokenStream, fields: Vec<(&str, TokenStream)>) -> TokenStream {
    if fields.is_empty() {
        return value;
    }
    let changed = local("changed");
    let assignments = fields.into_iter().map(|(field, value)| {
        let field = Ident::new(field, Span::call_site());
        quote!(#changed.#field = #value;)
    });
    quote!({ let mut #changed = #value; #(#assignments)* #changed })
}

fn start(private: &TokenStream, start: Start) -> TokenStream {
    match start {
        Start::Earliest => quote!(#private::Start::Earliest),
        Start::Latest => quote!(#private::Start::Latest),
        Start::Time(millis) => quote!(#private::Start::Time(#millis)),
    }
}

fn retry(model: &Model) -> Option<TokenStream> {
    let (private, options) = (&model.private, &model.options);
    if options.attempts.is_none() && options.backoff.is_none() {
        return None;
    }
    let mut given = Vec::new();
    given.extend(
        options
            .attempts
            .map(|(attempts, _)| ("attempts", attempts.to_token_stream())),
    );
    if let Some((min, max)) = options.backoff {
        given.extend([("min", duration(min)), ("max", duration(max))]);
    }
    Some(changed(quote!(#private::Retry::DEFAULT), given))
}

fn park(private: &TokenStream, park: &Park) -> TokenStream {
    let Park::On { backoff, max_age } = park else {
        return quote!(#private::Parking::Off);
    };
    let mut given = Vec::new();
    if let Some((min, max)) = backoff {
        given.extend([("min", duration(*min)), ("max", duration(*max))]);
    }
    given.extend(max_age.as_ref().map(|(age, _)| ("max_age", duration(*age))));
    let park = changed(quote!(#private::Park::DEFAULT), given);
    quote!(#private::Parking::On(#park))
}

fn duration(duration: Duration) -> TokenStream {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    quote!(::core::time::Duration::from_millis(#millis))
}
