//! What an event must fulfil.

use proc_macro2::Span;
use quote::ToTokens;
use syn::Member;

use super::command::Kind;
use super::model::{Body, Field, Model};
use crate::errors::Errors;
use crate::options::closest;
use crate::{name, options};

pub(super) fn check(model: &Model, errors: &mut Errors) {
    shape(model, errors);
    if model.kind == Kind::Command {
        model.owner.check(errors);
    }
    topic(model, errors);
    if let Some(fault) = name::wire(&model.name.0) {
        errors.at_span(model.name.1, fault);
    }
    if let Some(name) = &model.renamed_from
        && name.value() == options::plain(&model.item.ident)
    {
        errors.at(name, "this is the type's name: leave `renamed_from` out");
    }
    if model.version.0 == 0 {
        errors.at_span(model.version.1, "the first version is 1");
    }
    key(model, errors);
    deprecated(model, errors);
    if let Body::Named(fields) = &model.body {
        distinct(fields, errors);
        for field in fields {
            since(field, model.version.0, errors);
        }
    }
}

fn shape(model: &Model, errors: &mut Errors) {
    let generics = &model.item.generics;
    if !generics.params.is_empty() {
        errors.at(
            &generics.params,
            "an event has one name on the wire, so it has neither type parameters nor lifetimes: use owned, concrete types",
        );
    } else if let Some(clause) = &generics.where_clause {
        errors.at(
            clause,
            "an event has no type parameters, so it needs no `where`: remove it",
        );
    }
    if let Body::Wrong(at, remedy) = &model.body {
        errors.at(at, remedy);
    }
    if let Body::Unit = model.body
        && let Some(serde) = model
            .item
            .attrs
            .iter()
            .find(|attribute| attribute.path().is_ident("serde"))
    {
        errors.at(
            serde,
            "an event without fields is `{}` on the wire: remove `#[serde(…)]`",
        );
    }
}

fn topic(model: &Model, errors: &mut Errors) {
    match &model.topic {
        Some(topic) => {
            if let Some(fault) = name::topic(&topic.value())
                && (model.topic_given || !model.owner.refused())
            {
                errors.at(topic, fault);
            }
        }
        // A command's is made of its owner's name.
        None if model.topic_given || model.kind == Kind::Command => {}
        None => errors.at_span(
            Span::call_site(),
            "an event needs a topic: `#[event(topic = \"orders\")]`",
        ),
    }
}

fn deprecated(model: &Model, errors: &mut Errors) {
    let Some(instead) = &model.deprecated else {
        return;
    };
    if instead.value().trim().is_empty() {
        errors.at(
            instead,
            "say what to use instead: `deprecated = \"use OrderAccepted\"`",
        );
    }
    let mut attributes = model.item.attrs.iter();
    if let Some(twice) = attributes.find(|attribute| attribute.path().is_ident("deprecated")) {
        errors.at(
            twice,
            "`#[event(deprecated = \"…\")]` says this to the compiler too: remove it here",
        );
    }
}

fn key(model: &Model, errors: &mut Errors) {
    let Some((option, members)) = &model.key else {
        return;
    };
    if members.is_empty() {
        errors.at(
            option,
            "`key` names no field: leave it out for events without order",
        );
    }
    for (index, member) in members.iter().enumerate() {
        if members[..index].contains(member) {
            errors.at(
                member,
                format!(
                    "`{}` is part of the key already: name it once",
                    text(member)
                ),
            );
            continue;
        }
        match &model.body {
            Body::Unit => errors.at(
                member,
                "an event without fields has no key: leave `key` out",
            ),
            Body::Newtype(_) if text(member) != "0" => {
                errors.at(
                    member,
                    "the field of a newtype has no name: write `key = 0`",
                );
            }
            Body::Named(fields) => key_field(model, fields, member, errors),
            Body::Newtype(_) | Body::Unknown | Body::Wrong(..) => {}
        }
    }
}

fn key_field(model: &Model, fields: &[Field], member: &Member, errors: &mut Errors) {
    let wanted = text(member);
    let Some(field) = fields
        .iter()
        .find(|field| options::plain(&field.ident) == wanted)
    else {
        let names: Vec<_> = fields
            .iter()
            .map(|field| options::plain(&field.ident))
            .collect();
        let meant = closest(&wanted, names.iter().map(String::as_str));
        let meant = meant
            .map(|meant| format!(" (did you mean `{meant}`?)"))
            .unwrap_or_default();
        let known = match names.as_slice() {
            [] => "it has none".to_owned(),
            names => format!("its fields are `{}`", names.join("`, `")),
        };
        errors.at(
            member,
            format!(
                "`{}` has no field `{wanted}`{meant}; {known}",
                model.item.ident
            ),
        );
        return;
    };
    if field.wire.flatten {
        errors.at(member, format!("the fields of `{wanted}` stand on the wire, not itself: a flattened field cannot be the key"));
    } else if field.wire.skip {
        errors.at(member, format!("`{wanted}` is left out on the wire, so a reader would not know the key: remove `skip`, or choose another field"));
    }
}

/// No two fields answer to one name.
fn distinct(fields: &[Field], errors: &mut Errors) {
    let mut seen: Vec<(&str, &Field)> = Vec::new();
    for field in fields {
        for name in &field.wire.names {
            match seen.iter().find(|(other, _)| other == name) {
                // A field's alias may repeat its own name.
                Some((_, other)) if other.ident == field.ident => {}
                Some((_, other)) => errors.at(
                    &field.ident,
                    format!(
                        "`{}` and `{}` are both called `{name}` on the wire: rename one",
                        other.ident, field.ident
                    ),
                ),
                None => seen.push((name, field)),
            }
        }
    }
}

fn since(field: &Field, version: u32, errors: &mut Errors) {
    let name = &field.ident;
    if let Some(upcast) = &field.upcast
        && field.optional
    {
        errors.at(
            upcast,
            format!("records may lack `{name}` without an upcaster: remove `upcast` (an upcaster may fill it all the same), or the `Option` or default"),
        );
    }
    let Some((since, span)) = field.since else {
        if let Some(upcast) = &field.upcast {
            errors.at(
                upcast,
                format!(
                    "say which version `{name}` came with: `#[event(since = {}, upcast)]`",
                    version.max(2)
                ),
            );
        }
        return;
    };
    if since == 0 {
        errors.at_span(span, "the first version is 1");
    } else if since > version {
        errors.at_span(span, format!("`{name}` comes with version {since}, but the event has version {version}: say `version = {since}` there"));
    } else if since > 1 && !field.optional && field.upcast.is_none() {
        errors.at_span(
            span,
            format!("records of earlier versions lack `{name}`: make it an `Option`, or give it a default, `#[event(since = {since}, default)]`, or an upcaster, `#[event(since = {since}, upcast)]`"),
        );
    }
}

fn text(member: &Member) -> String {
    match member {
        Member::Named(name) => options::plain(name),
        Member::Unnamed(index) => index.to_token_stream().to_string(),
    }
}
