//! Options of attributes: `key = value`, `key(…)` and `key`, separated by commas.

use std::fmt::Display;
use std::str::FromStr;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};

use crate::errors::Errors;

/// An option's name, and how it is written.
pub(crate) type Usage = (&'static str, &'static str);

/// An option as it was given.
pub(crate) struct Given {
    /// Its name.
    pub(crate) name: Ident,
    /// What stands behind the name.
    pub(crate) value: Value,
    pub(crate) usage: &'static str,
}

/// What stands behind an option's name.
pub(crate) enum Value {
    /// Nothing.
    Flag,
    /// `= …`
    Equals(TokenStream),
    /// `(…)`
    List(Group),
}

/// Reads the options of an attribute; what is malformed, unknown or given twice is an error, and left out.
pub(crate) fn read(tokens: TokenStream, known: &[Usage], errors: &mut Errors) -> Vec<Given> {
    let mut all: Vec<Given> = Vec::new();
    for piece in split(tokens) {
        let tokens: TokenStream = piece.iter().cloned().collect();
        let Some(mut given) = one(piece) else {
            errors.at(tokens, format!("expected an option; {}", list(known)));
            continue;
        };
        let name = given.name();
        let Some((_, usage)) = known.iter().find(|(known, _)| *known == name) else {
            let meant = closest(&name, known.iter().map(|(known, _)| *known));
            let meant = meant
                .map(|meant| format!(" (did you mean `{meant}`?)"))
                .unwrap_or_default();
            errors.at(
                &given.name,
                format!("unknown option `{name}`{meant}; {}", list(known)),
            );
            continue;
        };
        given.usage = usage;
        if all.iter().any(|other| other.name() == name) {
            errors.at(&given.name, format!("`{name}` is given twice: keep one"));
            continue;
        }
        all.push(given);
    }
    all
}

/// Reads the options of somebody else's attribute, such as `#[serde(…)]`: what is malformed is left to its owner.
pub(crate) fn foreign(attribute: &syn::Attribute) -> Vec<Given> {
    match &attribute.meta {
        syn::Meta::List(list) => split(list.tokens.clone())
            .into_iter()
            .filter_map(one)
            .collect(),
        syn::Meta::Path(_) | syn::Meta::NameValue(_) => Vec::new(),
    }
}

/// The one of `known` that a mistyped `name` most likely means.
pub(crate) fn closest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|known| (distance(name, known), known));
    let allowed = name.chars().count().div_ceil(3).clamp(1, 3);
    near.filter(|(edits, _)| *edits <= allowed)
        .min()
        .map(|(_, known)| known)
}

/// An identifier as text, without `r#`.
pub(crate) fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

impl Given {
    /// Its name as text.
    pub(crate) fn name(&self) -> String {
        plain(&self.name)
    }

    /// A string.
    pub(crate) fn string(&self, errors: &mut Errors) -> Option<syn::LitStr> {
        if let Value::Equals(tokens) = &self.value
            && let Ok(path) = syn::parse2::<syn::Path>(tokens.clone())
        {
            let name = self.name();
            errors.at(
                path,
                format!("`{name}` is read while it compiles, when constants have no value yet: write a string literal, {}", self.usage),
            );
            return None;
        }
        self.parse(errors)
    }

    /// A number of a type.
    pub(crate) fn integer<T: FromStr<Err: Display>>(
        &self,
        errors: &mut Errors,
    ) -> Option<(T, Span)> {
        let literal: syn::LitInt = self.parse(errors)?;
        match literal.base10_parse() {
            Ok(number) => Some((number, literal.span())),
            Err(error) => {
                errors.at(&literal, format!("`{}` does not fit: {error}", self.name()));
                None
            }
        }
    }

    /// Nothing behind the name, or `= true` or `= false`.
    pub(crate) fn flag(&self, errors: &mut Errors) -> Option<bool> {
        match self.value {
            Value::Flag => Some(true),
            Value::Equals(_) | Value::List(_) => self
                .parse::<syn::LitBool>(errors)
                .map(|literal| literal.value),
        }
    }

    /// Anything that stands behind `=`.
    pub(crate) fn parse<T: Parse>(&self, errors: &mut Errors) -> Option<T> {
        let Value::Equals(tokens) = &self.value else {
            self.misused(errors);
            return None;
        };
        if let Ok(parsed) = syn::parse2::<T>(tokens.clone()) {
            return Some(parsed);
        }
        let first = |input: ParseStream<'_>| {
            let parsed = input.parse::<T>()?;
            Ok((parsed, input.parse::<TokenStream>()?))
        };
        let Ok((parsed, behind)) = first.parse2(tokens.clone()) else {
            self.misused(errors);
            return None;
        };
        let mut behind = behind.into_iter();
        match (behind.next(), behind.next()) {
            // What begins like another option.
            (Some(TokenTree::Ident(next)), _) => {
                errors.at(&next, format!("expected `,` before `{next}`"));
                Some(parsed)
            }
            _ => {
                self.misused(errors);
                None
            }
        }
    }

    /// Several, separated by commas, in parentheses.
    pub(crate) fn list<T: Parse>(&self, errors: &mut Errors) -> Option<Vec<T>> {
        let Value::List(group) = &self.value else {
            self.misused(errors);
            return None;
        };
        let parser = syn::punctuated::Punctuated::<T, syn::Token![,]>::parse_terminated;
        match parser.parse2(group.stream()) {
            Ok(items) => Some(items.into_iter().collect()),
            Err(_) => {
                self.misused(errors);
                None
            }
        }
    }

    /// One, or several in parentheses, behind `=`.
    pub(crate) fn one_or_several<T: Parse>(&self, errors: &mut Errors) -> Option<Vec<T>> {
        if let Value::Equals(tokens) = &self.value
            && let Ok(group) = syn::parse2::<Group>(tokens.clone())
            && group.delimiter() == Delimiter::Parenthesis
        {
            let several = Self {
                name: self.name.clone(),
                value: Value::List(group),
                usage: self.usage,
            };
            return several.list(errors);
        }
        self.parse(errors).map(|one| vec![one])
    }

    /// Says how the option is written.
    pub(crate) fn misused(&self, errors: &mut Errors) {
        let message = format!("`{}` is written like this: {}", self.name(), self.usage);
        match &self.value {
            Value::Equals(tokens) if !tokens.is_empty() => errors.at(tokens, message),
            Value::Flag | Value::Equals(_) => errors.at(&self.name, message),
            Value::List(_) => errors.at(self, message),
        }
    }
}

impl ToTokens for Given {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let name = &self.name;
        tokens.extend(match &self.value {
            Value::Flag => quote!(#name),
            Value::Equals(value) => quote!(#name = #value),
            Value::List(group) => quote!(#name #group),
        });
    }
}

fn list(known: &[Usage]) -> String {
    let names: Vec<_> = known.iter().map(|(name, _)| format!("`{name}`")).collect();
    match names.as_slice() {
        [one] => format!("the valid one is {one}"),
        several => format!("valid ones are {}", several.join(", ")),
    }
}

/// Splits at the commas that stand neither in brackets nor between `<` and `>`.
fn split(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let mut angles = 0u32;
    for token in tokens {
        if let TokenTree::Punct(punct) = &token {
            match punct.as_char() {
                '<' => angles += 1,
                '>' => angles = angles.saturating_sub(1),
                ',' if angles == 0 => {
                    pieces.push(std::mem::take(&mut piece));
                    continue;
                }
                _ => {}
            }
        }
        piece.push(token);
    }
    pieces.push(piece);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn one(piece: Vec<TokenTree>) -> Option<Given> {
    let mut tokens = piece.into_iter();
    let TokenTree::Ident(name) = tokens.next()? else {
        return None;
    };
    let value = match tokens.next() {
        None => Value::Flag,
        Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => {
            Value::Equals(tokens.by_ref().collect())
        }
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            Value::List(group)
        }
        Some(_) => return None,
    };
    let given = Given {
        name,
        value,
        usage: "",
    };
    tokens.next().is_none().then_some(given)
}

/// Levenshtein's: how many characters must change.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, to) in right.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}
