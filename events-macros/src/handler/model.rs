//! What `#[handler]` knows of a function.

use proc_macro2::TokenStream;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, FnArg, ReturnType, Signature, Type, Visibility, parse_quote};

use super::attr::Options;
use crate::errors::Errors;
use crate::{attributes, krate, options};

/// A function whose body is not looked into: a half-typed one is the compiler's to judge.
pub(super) struct Function {
    attributes: Vec<Attribute>,
    signature: Signature,
}

/// A handler.
pub(super) struct Model {
    /// The core's `__private` module.
    pub(super) private: TokenStream,
    pub(super) options: Options,
    pub(super) signature: Signature,
    /// The types of the arguments, the event's first.
    pub(super) arguments: Vec<Type>,
    /// What it returns.
    pub(super) output: Type,
    /// Its name; the function's, if it names none.
    pub(super) name: String,
    /// The first paragraph of the documentation.
    pub(super) doc: String,
    /// The conditions under which the function is compiled.
    pub(super) conditions: TokenStream,
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        if !(input.peek(syn::Token![async])
            || input.peek(syn::Token![fn])
            || input.peek(syn::Token![const])
            || input.peek(syn::Token![unsafe])
            || input.peek(syn::Token![extern]))
        {
            return Err(input.error(
                "a handler is a function: `#[handler] async fn reserve(order: OrderPlaced) { … }`",
            ));
        }
        let signature = input.parse()?;
        input.parse::<TokenStream>()?;
        Ok(Self {
            attributes,
            signature,
        })
    }
}

impl Model {
    pub(super) fn read(options: Options, function: Function, errors: &mut Errors) -> Self {
        let Function {
            attributes,
            signature,
        } = function;
        for again in attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("handler"))
        {
            errors.at(
                again,
                "`#[handler]` stands here twice: put all options into one",
            );
        }
        let typed = signature
            .inputs
            .iter()
            .filter_map(|argument| match argument {
                FnArg::Typed(argument) => Some((*argument.ty).clone()),
                FnArg::Receiver(_) => None,
            });
        let output = match &signature.output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, output) => (**output).clone(),
        };
        let name = match &options.name {
            Some(name) => name.value(),
            None => options::plain(&signature.ident),
        };
        Self {
            private: krate::private(options.krate.as_ref(), errors),
            arguments: typed.collect(),
            output,
            name,
            doc: attributes::first_paragraph(&attributes),
            conditions: attributes::conditions(&attributes),
            options,
            signature,
        }
    }
}
