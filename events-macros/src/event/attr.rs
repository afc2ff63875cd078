//! The options of `#[event]`, on the struct and on its fields.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{LitStr, Member, Path};

use crate::errors::Errors;
use crate::options::{self, Given, Usage, Value};

const STRUCT: [Usage; 8] = [
    ("topic", "`topic = \"orders\"`"),
    ("key", "`key = order_id`, or `key = (tenant, order_id)`"),
    ("version", "`version = 2`"),
    ("name", "`name = \"OrderPlaced\"`"),
    ("topic_default", "`topic_default`"),
    ("topic_exclusive", "`topic_exclusive`"),
    ("codec", "`codec = path::to::Codec`"),
    ("crate", "`crate = path::to::events_core`"),
];

const FIELD: [Usage; 2] = [
    ("since", "`since = 2`"),
    ("default", "`default`, or `default = path::to::function`"),
];

/// What stands in `#[event(…)]` on the struct.
#[derive(Default)]
pub(super) struct Options {
    pub(super) topic: Option<LitStr>,
    /// Whether a topic was named at all, well or not.
    pub(super) topic_given: bool,
    pub(super) key: Option<(Ident, Vec<Member>)>,
    pub(super) version: Option<(u32, Span)>,
    pub(super) name: Option<LitStr>,
    pub(super) topic_default: bool,
    pub(super) topic_exclusive: bool,
    pub(super) codec: Option<Path>,
    pub(super) krate: Option<Path>,
}

/// What stands in `#[event(…)]` on a field.
#[derive(Default)]
pub(super) struct FieldOptions {
    pub(super) since: Option<(u32, Span)>,
    pub(super) default: Option<Fallback>,
    /// The first option, for errors.
    pub(super) at: Option<Ident>,
}

/// Where a missing field gets its value.
pub(super) enum Fallback {
    /// From its type.
    Type,
    /// From a function.
    Function(Path),
}

impl Options {
    pub(super) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for given in options::read(tokens, &STRUCT, errors) {
            match given.name().as_str() {
                "topic" => {
                    options.topic_given = true;
                    options.topic = given.string(errors);
                }
                "key" => {
                    options.key = given
                        .one_or_several(errors)
                        .map(|fields| (given.name.clone(), fields))
                }
                "version" => options.version = given.integer(errors),
                "name" => options.name = given.string(errors),
                "topic_default" => options.topic_default = given.flag(errors).unwrap_or_default(),
                "topic_exclusive" => {
                    options.topic_exclusive = given.flag(errors).unwrap_or_default()
                }
                "codec" => options.codec = given.parse(errors),
                _ => options.krate = given.parse(errors),
            }
        }
        options
    }
}

impl FieldOptions {
    pub(super) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for given in options::read(tokens, &FIELD, errors) {
            options.at.get_or_insert_with(|| given.name.clone());
            match given.name().as_str() {
                "since" => options.since = given.integer(errors),
                _ => options.default = default(&given, errors),
            }
        }
        options
    }
}

fn default(given: &Given, errors: &mut Errors) -> Option<Fallback> {
    match given.value {
        Value::Flag => Some(Fallback::Type),
        Value::Equals(_) | Value::List(_) => given.parse(errors).map(Fallback::Function),
    }
}
