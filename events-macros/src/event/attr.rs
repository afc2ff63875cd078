//! The options of `#[event]`, on the struct and on its fields.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{LitStr, Member, Path};

use super::command::{Kind, Owner};
use crate::errors::Errors;
use crate::options::{self, Given, Usage, Value};

const STRUCT: [Usage; 11] = [
    ("topic", "`topic = \"orders\"`"),
    ("key", "`key = order_id`, or `key = (tenant, order_id)`"),
    ("version", "`version = 2`"),
    ("name", "`name = \"OrderPlaced\"`"),
    ("renamed_from", "`renamed_from = \"OrderPlaced\"`"),
    ("topic_default", "`topic_default`"),
    ("topic_exclusive", "`topic_exclusive`"),
    ("codec", "`codec = path::to::Codec`"),
    ("deprecated", "`deprecated = \"use OrderAccepted\"`"),
    ("lock", "`lock = \"../contracts/OrderPlaced.json\"`"),
    ("crate", "`crate = path::to::events_core`"),
];

const FIELD: [Usage; 5] = [
    ("since", "`since = 2`"),
    ("upcast", "`upcast`"),
    ("default", "`default`, or `default = path::to::function`"),
    ("name", "`name = \"orderId\"`"),
    ("renamed_from", "`renamed_from = \"order_id\"`"),
];

/// What stands in `#[event(…)]` on the struct.
#[derive(Default)]
pub(super) struct Options {
    pub(super) kind: Kind,
    /// What only commands have.
    pub(super) owner: Owner,
    pub(super) topic: Option<LitStr>,
    /// Whether a topic was named at all, well or not.
    pub(super) topic_given: bool,
    pub(super) key: Option<(Ident, Vec<Member>)>,
    pub(super) version: Option<(u32, Span)>,
    /// The name on the wire, and whether it is that of a released type.
    pub(super) name: Option<(LitStr, bool)>,
    pub(super) topic_default: bool,
    pub(super) topic_exclusive: bool,
    pub(super) codec: Option<Path>,
    /// What to use instead.
    pub(super) deprecated: Option<LitStr>,
    pub(super) lock: Option<LitStr>,
    pub(super) krate: Option<Path>,
}

/// What stands in `#[event(…)]` on a field.
#[derive(Default)]
pub(super) struct FieldOptions {
    pub(super) since: Option<(u32, Span)>,
    pub(super) default: Option<Fallback>,
    /// Upcasters fill it in records that are older than `since`.
    pub(super) upcast: Option<Ident>,
    /// The name on the wire, and whether it is that of a released field.
    pub(super) name: Option<(LitStr, bool)>,
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
    pub(super) fn read(kind: Kind, tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self {
            kind,
            ..Self::default()
        };
        let (tokens, known) = kind.options(tokens, &STRUCT, errors);
        for given in options::read(tokens, &known, errors) {
            match given.name().as_str() {
                "owner" | "reply" => options.owner.take(&given, errors),
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
                "name" | "renamed_from" => name(&given, "type", &mut options.name, errors),
                "topic_default" => options.topic_default = given.flag(errors).unwrap_or_default(),
                "topic_exclusive" => {
                    options.topic_exclusive = given.flag(errors).unwrap_or_default()
                }
                "codec" => options.codec = given.parse(errors),
                "deprecated" => options.deprecated = given.string(errors),
                "lock" => options.lock = given.string(errors),
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
                "upcast" => {
                    let upcast = given.flag(errors).unwrap_or_default();
                    options.upcast = upcast.then(|| given.name.clone());
                }
                "name" | "renamed_from" => name(&given, "field", &mut options.name, errors),
                _ => options.default = default(&given, errors),
            }
        }
        options
    }
}

/// What a type or a field is called on the wire.
fn name(given: &Given, of: &str, name: &mut Option<(LitStr, bool)>, errors: &mut Errors) {
    if name.is_some() {
        errors.at(
            &given.name,
            format!(
                "`name` and `renamed_from` both say what the {of} is called on the wire: keep one"
            ),
        );
    }
    let released = given.name() == "renamed_from";
    *name = given.string(errors).map(|name| (name, released));
}

fn default(given: &Given, errors: &mut Errors) -> Option<Fallback> {
    match given.value {
        Value::Flag => Some(Fallback::Type),
        Value::Equals(_) | Value::List(_) => given.parse(errors).map(Fallback::Function),
    }
}
