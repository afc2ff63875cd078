//! What an enum of events must fulfil.

use quote::ToTokens;

use super::Kind;
use super::model::{Body, Content, Model, Variant};
use crate::errors::Errors;

pub(super) fn check(model: &Model, errors: &mut Errors) {
    let derive = model.kind.derive();
    if !model.generics.params.is_empty() {
        errors.at(
            &model.generics.params,
            format!(
                "`{derive}` names its event types, so the enum takes no parameters: name the types"
            ),
        );
    }
    match &model.body {
        Body::Wrong(keyword) => errors.at(keyword, match model.kind {
            Kind::Emission => "`Emission` is derived for an enum of events, one in each variant; of a struct, return its events as a tuple",
            Kind::OneOf => "`OneOf` is derived for an enum of events, one in each variant; a handler of one event takes it itself",
        }),
        Body::Enum(variants) if variants.is_empty() => {
            errors.at(&model.ident, format!("an enum without variants holds no event: `enum {} {{ Placed(OrderPlaced), Shipped(OrderShipped) }}`", model.ident));
        }
        Body::Enum(variants) => {
            for (index, variant) in variants.iter().enumerate() {
                check_variant(model.kind, variant, &variants[..index], errors);
            }
        }
    }
}

fn check_variant(kind: Kind, variant: &Variant, before: &[Variant], errors: &mut Errors) {
    let name = &variant.ident;
    if let (Some(failure), Content::Nothing) = (&variant.failure, &variant.content) {
        errors.at(
            failure,
            format!("`{name}` holds no event that could tell of a failure: let it hold one, `{name}(OrderRefused)`, or remove `failure`"),
        );
    }
    match (&variant.content, kind) {
        (Content::Wrong(fields), Kind::OneOf) => {
            errors.at(fields, format!("a variant holds one event: `{name}(OrderPlaced)`"));
        }
        (Content::Wrong(fields), Kind::Emission) => errors.at(
            fields,
            format!("a variant holds one event, `{name}(OrderPlaced)`; several are a tuple, `{name}((OrderPlaced, OrderPaid))`"),
        ),
        (Content::Nothing, Kind::OneOf) => {
            errors.at(
                name,
                format!(
                    "no record can become `{name}`: let it hold an event, `{name}(OrderPlaced)`"
                ),
            );
        }
        (Content::One(ty), Kind::OneOf) => {
            let same = |other: &&Variant| match &other.content {
                Content::One(other) => {
                    other.to_token_stream().to_string() == ty.to_token_stream().to_string()
                }
                Content::Nothing | Content::Wrong(_) => false,
            };
            if let Some(other) = before.iter().find(same) {
                errors.at(ty, format!("`{}` takes this event already: a record would not know which variant it is", other.ident));
            }
        }
        (Content::Nothing | Content::One(_), Kind::Emission) => {}
    }
}
