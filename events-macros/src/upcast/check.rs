//! What an upcaster must fulfil.

use syn::{FnArg, Safety, Type};

use super::model::Model;
use crate::errors::Errors;

pub(super) fn check(model: &Model, errors: &mut Errors) {
    qualifiers(model, errors);
    arguments(model, errors);
    output(model, errors);
    versions(model, errors);
}

fn qualifiers(model: &Model, errors: &mut Errors) {
    let signature = &model.signature;
    if let Some(token) = &signature.asyncness {
        errors.at(
            token,
            "an upcaster makes one payload of another and waits for nothing: remove `async`; what must be looked up is for \
             the handler",
        );
    }
    if let Some(token) = &signature.constness {
        errors.at(
            token,
            "an upcaster runs when a record comes: remove `const`",
        );
    }
    if let Safety::Unsafe(token) = &signature.safety {
        errors.at(
            token,
            "an upcaster is called by the runtime, which cannot promise anything: remove `unsafe`",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "an upcaster is called from Rust: remove `extern`");
    }
    let generics = &signature.generics;
    if !generics.params.is_empty() {
        errors.at(
            &generics.params,
            "an upcaster is registered once, so it has neither type parameters nor lifetimes: name the types",
        );
    }
}

fn arguments(model: &Model, errors: &mut Errors) {
    let inputs = &model.signature.inputs;
    let example = format!("`fn {}(old: OrderPlacedV1)`", model.signature.ident);
    if inputs.is_empty() {
        errors.at(
            &model.signature.ident,
            format!("an upcaster takes the payload of the earlier version: {example}"),
        );
    }
    for (index, argument) in inputs.iter().enumerate() {
        match argument {
            FnArg::Receiver(receiver) => errors.at(
                receiver,
                "an upcaster is a free function, outside of `impl`: move it out",
            ),
            FnArg::Typed(argument) if index > 0 => errors.at(
                argument,
                "an upcaster takes one payload and nothing else, so that every reader gets the same: remove this argument",
            ),
            FnArg::Typed(argument) => by_value(&argument.ty, &example, errors),
        }
    }
}

fn by_value(ty: &Type, example: &str, errors: &mut Errors) {
    match ty {
        Type::Reference(_) => errors.at(
            ty,
            format!("an upcaster takes its payload by value: {example}"),
        ),
        Type::ImplTrait(_) | Type::Infer(_) => {
            errors.at(ty, format!("an upcaster says what it takes: {example}"));
        }
        _ => {}
    }
}

fn output(model: &Model, errors: &mut Errors) {
    let signature = &model.signature;
    match &model.new {
        None => errors.at(
            &signature.ident,
            format!(
                "an upcaster returns the payload of the later version: `fn {}(…) -> OrderPlaced`, or a `Result` of it",
                signature.ident
            ),
        ),
        Some(ty @ (Type::Reference(_) | Type::ImplTrait(_) | Type::Infer(_))) => errors.at(
            ty,
            "an upcaster's type says what it makes: return the event itself, or a type with `#[payload]`",
        ),
        Some(_) => {}
    }
}

/// What needs the event's own version is the compiler's to check.
fn versions(model: &Model, errors: &mut Errors) {
    let options = &model.options;
    let Some((from, span)) = options.from else {
        if !options.from_given {
            errors.at(
                &model.signature.ident,
                "an upcaster says which version it takes: `#[upcast(from = 1)]`",
            );
        }
        return;
    };
    if from == 0 {
        errors.at_span(span, "the first version is 1");
    }
    if let Some((to, span)) = options.to
        && to <= from
    {
        errors.at_span(
            span,
            format!(
                "an upcaster leads to a later version than {from}: say which, or leave `to` out"
            ),
        );
    }
}
