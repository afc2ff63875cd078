//! What `#[upcast]` knows of a function.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, FnArg, GenericArgument, PathArguments, ReturnType, Signature, Type, Visibility,
};

use super::attr::Options;
use crate::errors::Errors;
use crate::{attributes, krate};

/// A function whose body is not looked into: a half-typed one is the compiler's to judge.
pub(super) struct Function {
    attributes: Vec<Attribute>,
    signature: Signature,
}

/// An upcaster.
pub(super) struct Model {
    /// The core's `__private` module.
    pub(super) private: TokenStream,
    pub(super) options: Options,
    pub(super) signature: Signature,
    /// What it takes.
    pub(super) old: Option<Type>,
    /// What it makes of it; within a `Result`, if it may fail.
    pub(super) new: Option<Type>,
    /// Whether it returns a `Result`.
    pub(super) fallible: bool,
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
                "an upcaster is a function: `#[upcast(from = 1)] fn v1(old: OrderPlacedV1) -> OrderPlaced { … }`",
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
        let again = |attribute: &&Attribute| attribute.path().is_ident("upcast");
        for again in attributes.iter().filter(again) {
            errors.at(again, "`#[upcast]` stands here twice: keep one");
        }
        let old = match signature.inputs.first() {
            Some(FnArg::Typed(argument)) => Some((*argument.ty).clone()),
            Some(FnArg::Receiver(_)) | None => None,
        };
        let output = match &signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, output) => Some((**output).clone()),
        };
        let of_result = output.as_ref().and_then(of_result);
        Self {
            private: krate::private(options.krate.as_ref(), errors),
            fallible: of_result.is_some(),
            new: of_result.unwrap_or(output),
            old,
            conditions: attributes::conditions(&attributes),
            options,
            signature,
        }
    }

    /// Whether the function returns the event itself, as far as names tell.
    pub(super) fn returns_event(&self) -> bool {
        match (&self.options.event, &self.new) {
            (None, _) => true,
            (Some(event), Some(new)) => {
                event.to_token_stream().to_string() == new.to_token_stream().to_string()
            }
            (Some(_), None) => false,
        }
    }
}

/// What stands in a `Result`; nothing in one that does not say.
fn of_result(ty: &Type) -> Option<Option<Type>> {
    let Type::Path(path) = ty else {
        return None;
    };
    let last = path.path.segments.last()?;
    if last.ident != "Result" {
        return None;
    }
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return Some(None);
    };
    Some(arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    }))
}
