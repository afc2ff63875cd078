//! What is left of a faulty event, so that one fault is one error and not one in every handler of it.

use proc_macro2::Span;
use syn::{Data, LitStr};

use super::model::{Body, Model};
use crate::attributes;
use crate::options::plain;

/// Takes out what may be wrong; whether what is left can be expanded.
pub(super) fn mend(model: &mut Model) -> bool {
    if !attributes::own_derives(&model.item.attrs).is_empty() {
        return false;
    }
    forget_serde(model);
    model.key = None;
    model.owner.forget();
    model.codec = None;
    model.deprecated = None;
    model.topic = Some(LitStr::new("", Span::call_site()));
    match &mut model.body {
        Body::Named(fields) => {
            for field in fields {
                field.wire.names = vec![plain(&field.ident)];
            }
        }
        Body::Unit | Body::Newtype(_) => {}
        Body::Wrong(..) => return false,
    }
    model.derives = matches!(model.body, Body::Newtype(_));
    let generics = &model.item.generics;
    generics.params.is_empty() && generics.where_clause.is_none()
}

/// Without a derive, the compiler does not know these attributes.
fn forget_serde(model: &mut Model) {
    let mut all = vec![&mut model.item.attrs];
    match &mut model.item.data {
        Data::Struct(data) => all.extend(data.fields.iter_mut().map(|field| &mut field.attrs)),
        Data::Enum(data) => {
            for variant in &mut data.variants {
                all.push(&mut variant.attrs);
                all.extend(variant.fields.iter_mut().map(|field| &mut field.attrs));
            }
        }
        Data::Union(_) => {}
    }
    for attributes in all {
        attributes::take(attributes, "serde");
        attributes::take(attributes, "schemars");
    }
}
