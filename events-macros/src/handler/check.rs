//! What a handler must fulfil.

use quote::ToTokens;
use syn::{
    FnArg, GenericArgument, Pat, PatType, PathArguments, ReturnType, Safety, Signature, Type,
    TypeParamBound,
};

use super::attr::Park;
use super::model::Model;
use crate::errors::Errors;
use crate::name;

/// What a record gives beside its event, by the last word of its path.
const EXTRACTORS: [&str; 4] = ["State", "Meta", "Publisher", "Cancellation"];

pub(super) fn check(model: &Model, errors: &mut Errors) {
    qualifiers(&model.signature, errors);
    colour(model, errors);
    arguments(&model.signature, errors);
    output(&model.signature, errors);
    options(model, errors);
}

fn qualifiers(signature: &Signature, errors: &mut Errors) {
    if let Some(token) = &signature.constness {
        errors.at(token, "a handler runs when a record comes: remove `const`");
    }
    if let Safety::Unsafe(token) = &signature.safety {
        errors.at(
            token,
            "a handler is called by the runtime, which cannot promise anything: remove `unsafe`",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.at(abi, "a handler is called from Rust: remove `extern`");
    }
    if let Some(variadic) = &signature.variadic {
        errors.at(
            variadic,
            "a handler's arguments are named one by one: remove `...`",
        );
    }
    let generics = &signature.generics;
    if !generics.params.is_empty() {
        errors.at(
            &generics.params,
            "a handler is registered once, so it has neither type parameters nor lifetimes: name the types",
        );
    } else if let Some(clause) = &generics.where_clause {
        errors.at(
            clause,
            "a handler has no type parameters, so it needs no `where`: remove it",
        );
    }
}

/// Whether it is async or blocks its thread must be said.
fn colour(model: &Model, errors: &mut Errors) {
    match (&model.signature.asyncness, &model.options.blocking) {
        (None, None) => errors.at(
            model.signature.fn_token,
            "a handler is an `async fn`: write `async fn`, or, if it blocks its thread, `#[handler(blocking)]`, which \
             runs it on the blocking pool",
        ),
        (Some(_), Some(blocking)) => errors.at(
            blocking,
            "an `async fn` runs in place and does not block: remove `blocking`, or remove `async`",
        ),
        (Some(_), None) | (None, Some(_)) => {}
    }
}

fn arguments(signature: &Signature, errors: &mut Errors) {
    if signature.inputs.is_empty() {
        let name = &signature.ident;
        errors.at(
            name,
            format!("a handler takes an event: `async fn {name}(event: OrderPlaced)`"),
        );
    }
    for (index, argument) in signature.inputs.iter().enumerate() {
        match argument {
            FnArg::Receiver(receiver) => errors.at(
                receiver,
                "a handler is a free function, outside of `impl`: move it out, and take what it needs as `State<T>`",
            ),
            FnArg::Typed(argument) => {
                conditional(argument, errors);
                destructured(argument, errors);
                by_value(&argument.ty, index == 0, errors);
            }
        }
    }
    let mut behind = signature.inputs.iter().skip(1);
    let is_extractor = |argument: &FnArg| match argument {
        FnArg::Typed(argument) => extractor(&argument.ty).is_some(),
        FnArg::Receiver(_) => false,
    };
    // An event may be called so too: then all behind it is what a record gives.
    if let Some(FnArg::Typed(first)) = signature.inputs.first()
        && let Some(extractor) = extractor(&first.ty)
        && (extractor == "State" || !behind.all(is_extractor))
    {
        errors.at(
            &first.ty,
            format!(
                "the first argument of a handler is its event: put it before the `{extractor}`"
            ),
        );
    }
}

/// The extractor that a type names, if it names one.
fn extractor(ty: &Type) -> Option<&'static str> {
    let Type::Path(path) = ty else {
        return None;
    };
    let last = path.path.segments.last()?;
    // An event has no parameters, and may be called so too.
    let fits = (last.ident == "State") != last.arguments.is_none();
    EXTRACTORS
        .into_iter()
        .find(|name| fits && last.ident == name)
}

fn conditional(argument: &PatType, errors: &mut Errors) {
    for attribute in &argument.attrs {
        if attribute.path().is_ident("cfg") {
            errors.at(
                attribute,
                "a handler's arguments are the same in every build: put `#[cfg]` on two functions",
            );
        }
    }
}

/// `State(db): State<Db>` is how others write it.
fn destructured(argument: &PatType, errors: &mut Errors) {
    if let Some(inner) = opened_state(argument) {
        let (name, ty) = (shown(inner), shown(&*argument.ty));
        errors.at(
            &argument.pat,
            format!("a `State` is not taken apart: write `{name}: {ty}`; `*{name}` is the value"),
        );
    }
}

fn opened_state(argument: &PatType) -> Option<&Pat> {
    let Pat::TupleStruct(pattern) = &*argument.pat else {
        return None;
    };
    let last = pattern.path.segments.last()?;
    let is_state = last.ident == "State" && extractor(&argument.ty) == Some("State");
    pattern.elems.first().filter(|_| is_state)
}

/// Whether the compiler would say of the function itself once more what is wrong.
pub(super) fn is_told_twice(model: &Model) -> bool {
    let mut arguments = model.signature.inputs.iter();
    dynamic_emission(&model.output)
        || arguments.any(|argument| match argument {
            FnArg::Typed(argument) => opened_state(argument).is_some(),
            FnArg::Receiver(_) => false,
        })
}

fn by_value(ty: &Type, first: bool, errors: &mut Errors) {
    match ty {
        Type::Reference(reference) => {
            let value = shown(&reference.elem);
            let message = match (first, extractor(&reference.elem)) {
                (true, _) => format!("a handler takes its event by value: write `{value}`"),
                (false, Some(_)) => {
                    format!("a handler takes its arguments by value: write `{value}`")
                }
                (false, None) => format!(
                    "a handler takes its arguments by value: write `State<{value}>` for what the service shares, or `{value}` \
                     for what a record gives"
                ),
            };
            errors.at(ty, message);
        }
        Type::ImplTrait(_) => {
            errors.at(
                ty,
                "a handler is registered once: name the type instead of `impl`",
            );
        }
        Type::Infer(_) => errors.at(ty, "a handler's arguments say what it takes: name the type"),
        _ => {}
    }
}

fn output(signature: &Signature, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = &signature.output else {
        return;
    };
    match &**ty {
        Type::Reference(_) => errors.at(
            ty,
            "what a handler returns is published, so it is no reference: return an event, or `()` for none",
        ),
        Type::ImplTrait(_) => errors.at(ty, UNNAMED),
        _ if dynamic_emission(ty) => errors.at(ty, UNNAMED),
        _ => {}
    }
}

const UNNAMED: &str = "what a handler can publish is read from its signature: name the type, for example an enum with `#[derive(Emission)]`";

/// Whether a type holds `dyn Emission`, which no type can be.
fn dynamic_emission(ty: &Type) -> bool {
    match ty {
        Type::TraitObject(object) => object.bounds.iter().any(|bound| match bound {
            TypeParamBound::Trait(bound) => {
                let last = bound.path.segments.last();
                last.is_some_and(|last| last.ident == "Emission")
            }
            _ => false,
        }),
        Type::Path(path) => path
            .path
            .segments
            .iter()
            .any(|segment| match &segment.arguments {
                PathArguments::AngleBracketed(of) => {
                    of.args.iter().any(|argument| match argument {
                        GenericArgument::Type(ty) => dynamic_emission(ty),
                        _ => false,
                    })
                }
                _ => false,
            }),
        _ => false,
    }
}

fn options(model: &Model, errors: &mut Errors) {
    let options = &model.options;
    match &options.name {
        Some(given) => {
            if let Some(fault) = name::part("handler", &given.value()) {
                errors.at(given, fault);
            }
        }
        None => {
            if let Some(fault) = name::part("handler", &model.name) {
                let remedy = "give it a name of its own: `#[handler(name = \"…\")]`";
                errors.at(&model.signature.ident, format!("{fault}; {remedy}"));
            }
        }
    }
    if let Some(given) = &options.renamed_from
        && given.value() == model.name
    {
        errors.at(
            given,
            "that is its name already: `renamed_from` is the name that it had before, or leave it out",
        );
    }
    for (what, given) in [
        ("service", &options.service),
        ("group", &options.group),
        ("handler", &options.renamed_from),
    ] {
        if let Some(given) = given
            && let Some(fault) = name::part(what, &given.value())
        {
            errors.at(given, fault);
        }
    }
    if let Some((start, _)) = &options.start
        && !options.group_given
    {
        errors.at(
            start,
            "a handler without a group starts where its service's group stands: give it one of its own, `group = \"…\"`, or remove `start`",
        );
    }
    if let Some((0, span)) = options.concurrency {
        errors.at_span(
            span,
            "a handler that works on no key at once never works: the least is 1",
        );
    }
    if let Some((0, span)) = options.attempts {
        errors.at_span(
            span,
            "the first attempt counts: the least is 1, which means no retry",
        );
    }
    if let Some(Park::On {
        backoff: Some((min, _)),
        max_age: Some((age, span)),
    }) = options.park
        && age < min
    {
        errors.at_span(
            span,
            "a record would be given up before its first wait is over: let `max_age` be longer than the shortest wait of `backoff`",
        );
    }
    for event in options
        .allow_cycle
        .iter()
        .filter(|event| event.value().is_empty())
    {
        errors.at(
            event,
            "name an event as it is called on the wire: `allow_cycle = \"OrderPlaced\"`",
        );
    }
}

fn shown(tokens: impl ToTokens) -> String {
    tokens.to_token_stream().to_string().replace(' ', "")
}
