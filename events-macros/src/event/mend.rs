//! What is left of a faulty event, so that one fault is one error and not one in every handler of it.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{Data, DeriveInput, GenericArgument, LitStr, PathArguments, Type, parse_quote};

use super::model::{Body, Model};
use crate::attributes;

/// Takes out what may be wrong; whether what is left can be expanded.
pub(super) fn mend(model: &mut Model) -> bool {
    let wrong = matches!(model.body, Body::Wrong(..));
    if wrong || !attributes::own_derives(&model.item.attrs).is_empty() {
        return false;
    }
    forget_serde(model);
    thread_safe(model);
    model.key = None;
    model.owner.forget();
    model.codec = None;
    model.deprecated = None;
    model.topic = Some(LitStr::new("", Span::call_site()));
    // Its fields may be what is wrong.
    model.body = Body::Unknown;
    model.derives = false;
    model.flat = false;
    let generics = &model.item.generics;
    generics.params.is_empty() && generics.where_clause.is_none()
}

/// Puts types that threads can share in the place of those that they cannot: an event must.
fn thread_safe(model: &mut Model) {
    let private = model.private.clone();
    if let Data::Struct(data) = &mut model.item.data {
        for field in &mut data.fields {
            share(&mut field.ty, &private);
        }
    }
}

fn share(ty: &mut Type, private: &TokenStream) {
    let Type::Path(path) = ty else {
        return;
    };
    let Some(last) = path.path.segments.last_mut() else {
        return;
    };
    let name = last.ident.to_string();
    let PathArguments::AngleBracketed(of) = &mut last.arguments else {
        return;
    };
    for argument in &mut of.args {
        if let GenericArgument::Type(ty) = argument {
            share(ty, private);
        }
    }
    match (name.as_str(), of.args.first()) {
        ("Rc", Some(inner)) => *ty = parse_quote!(#private::Arc<#inner>),
        ("Cell" | "RefCell", Some(GenericArgument::Type(inner))) => *ty = inner.clone(),
        _ => {}
    }
}

/// What can be said of a struct that the compiler cannot read yet: its name. The compiler itself says where it ends to be one.
pub(super) fn unread(item: &TokenStream) -> Option<DeriveInput> {
    let mut tokens = item.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(word) if word == "struct"))?;
    let Some(TokenTree::Ident(name)) = tokens.next() else {
        return None;
    };
    Some(parse_quote!(struct #name;))
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
