//! What the other attributes of an item say.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Path};

use crate::errors::Errors;

/// The first paragraph of the documentation, on one line.
pub(crate) fn first_paragraph(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(doc);
    let lines: Vec<String> = lines
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let paragraph = lines
        .iter()
        .map(|line| line.trim())
        .skip_while(|line| line.is_empty())
        .take_while(|line| !line.is_empty());
    paragraph.collect::<Vec<_>>().join(" ")
}

fn doc(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else {
        return None;
    };
    match &pair.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) if pair.path.is_ident("doc") => {
            // A text of no lines at all is an empty line between paragraphs.
            Some(if text.value().is_empty() {
                "\n".to_owned()
            } else {
                text.value()
            })
        }
        _ => None,
    }
}

/// The conditions under which the item is compiled: what is generated for it needs the same.
pub(crate) fn conditions(attributes: &[Attribute]) -> TokenStream {
    let conditions = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"));
    conditions.map(ToTokens::to_token_stream).collect()
}

/// Takes the attributes called `name` out.
pub(crate) fn take(attributes: &mut Vec<Attribute>, name: &str) -> Vec<Attribute> {
    let (taken, left) = std::mem::take(attributes)
        .into_iter()
        .partition(|attribute| attribute.path().is_ident(name));
    *attributes = left;
    taken
}

/// The tokens between the parentheses of an attribute; none for a bare one.
pub(crate) fn arguments(attribute: &Attribute) -> TokenStream {
    match &attribute.meta {
        Meta::List(list) => list.tokens.clone(),
        Meta::Path(_) | Meta::NameValue(_) => TokenStream::new(),
    }
}

/// Refuses what a macro derives itself.
pub(crate) fn refuse_derives(attributes: &[Attribute], by: &str, errors: &mut Errors) {
    for derive in own_derives(attributes) {
        let name = derive
            .segments
            .last()
            .map(|segment| segment.ident.to_string())
            .unwrap_or_default();
        errors.at(
            &derive,
            format!("`#[{by}]` derives `{name}` itself: remove it here"),
        );
    }
}

/// The derives of a payload that the user wrote.
pub(crate) fn own_derives(attributes: &[Attribute]) -> Vec<Path> {
    let mut found = Vec::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("derive"))
    {
        // What cannot be read as paths is left to the compiler.
        let _ = attribute.parse_nested_meta(|meta| {
            let ours = ["Serialize", "Deserialize", "JsonSchema"];
            if let Some(last) = meta.path.segments.last()
                && ours.iter().any(|name| last.ident == name)
            {
                found.push(meta.path);
            }
            Ok(())
        });
    }
    found
}
