//! What `#[event]` knows of a struct.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Fields, GenericArgument, LitStr, Member, Path, PathArguments,
    Type, parse_quote,
};

use super::attr::{Fallback, FieldOptions, Options};
use super::command::{Kind, Owner};
use super::scalar;
use crate::errors::Errors;
use crate::wire::{self, Wire};
use crate::{attributes, krate};

/// An event type.
pub(super) struct Model {
    pub(super) kind: Kind,
    /// What only commands have.
    pub(super) owner: Owner,
    /// The core's `__private` module.
    pub(super) private: TokenStream,
    /// The user's item, without our field attributes and with serde's in their place.
    pub(super) item: DeriveInput,
    pub(super) body: Body,
    pub(super) topic: Option<LitStr>,
    pub(super) topic_given: bool,
    /// The name on the wire, and where it stands.
    pub(super) name: (String, Span),
    /// The name under which the type was released, if it has another in Rust since.
    pub(super) renamed_from: Option<LitStr>,
    pub(super) version: (u32, Span),
    /// The option `key` and the fields that it names.
    pub(super) key: Option<(Ident, Vec<Member>)>,
    pub(super) topic_default: bool,
    pub(super) topic_exclusive: bool,
    pub(super) codec: Option<Path>,
    /// What to use instead.
    pub(super) deprecated: Option<LitStr>,
    /// Where the contract file is, if it is not where it is looked for.
    pub(super) lock: Option<LitStr>,
    /// The first paragraph of the documentation.
    pub(super) doc: String,
    /// The conditions under which the item is compiled.
    pub(super) conditions: TokenStream,
    /// Whether serde's own derive is needed, since its attributes say something.
    pub(super) derives: bool,
    /// Whether all fields are scalars, which the core reads and writes without code of the event's own.
    pub(super) flat: bool,
}

/// The shape of the item.
pub(super) enum Body {
    /// `struct Ping;`
    Unit,
    /// A faulty one, of which nothing is looked into.
    Unknown,
    /// `struct Renamed(pub Name);`
    Newtype(Box<Newtype>),
    /// `struct OrderPlaced { … }`
    Named(Vec<Field>),
    /// What no event can be, and why.
    Wrong(TokenStream, &'static str),
}

/// The one field of a newtype.
pub(super) struct Newtype {
    pub(super) ty: Type,
    /// The functions that write or read it.
    pub(super) own_form: Option<String>,
}

/// A field of a struct with named ones.
pub(super) struct Field {
    pub(super) ident: Ident,
    pub(super) ty: Type,
    pub(super) doc: String,
    pub(super) wire: Wire,
    /// The name that the wire keeps for it, and whether that must be a released one.
    pub(super) renamed: Option<(LitStr, bool)>,
    pub(super) default: Option<Fallback>,
    pub(super) since: Option<(u32, Span)>,
    /// Upcasters fill it in records that are older than `since`: where that is said.
    pub(super) upcast: Option<Ident>,
    /// Whether a record that lacks it can be read.
    pub(super) optional: bool,
}

impl Model {
    pub(super) fn read(options: Options, mut item: DeriveInput, errors: &mut Errors) -> Self {
        let private = krate::private(options.krate.as_ref(), errors);
        let word = options.kind.word();
        for other in ["event", "command"] {
            for again in attributes::take(&mut item.attrs, other) {
                let message = if other == word {
                    format!("`#[{word}]` stands here twice: put all options into one")
                } else {
                    "an event is a fact, a command an order to one service: nothing is both, so keep one".to_owned()
                };
                errors.at(again, message);
            }
        }
        attributes::refuse_derives(&item.attrs, word, errors);
        wire::refuse_late_macros(&mut item, word, errors);
        let container = wire::container(&item.attrs, word, errors);
        let body = match &mut item.data {
            Data::Struct(data) => body(word, &mut data.fields, &container, errors),
            Data::Enum(data) => Body::Wrong(
                data.enum_token.to_token_stream(),
                "an event is a struct: for one of several events, give each a struct of its own, and derive `OneOf` \
                 (to take one of them) or `Emission` (to return one of them) on an enum of these",
            ),
            Data::Union(data) => Body::Wrong(
                data.union_token.to_token_stream(),
                "an event is a struct: a union cannot be read back",
            ),
        };
        let derives = derives(&body, &item, options.codec.is_some());
        if let Body::Named(fields) = &body
            && derives
        {
            say_in_serde(fields, &mut item);
        }
        let flat = !derives && matches!(&body, Body::Named(fields) if scalar::all(fields));
        let name = match &options.name {
            Some((name, _)) => (name.value(), name.span()),
            None => (crate::options::plain(&item.ident), item.ident.span()),
        };
        let topic = match options.kind {
            Kind::Command if !options.topic_given => options.owner.topic(&name.0),
            _ => options.topic,
        };
        Self {
            kind: options.kind,
            owner: options.owner,
            private,
            body,
            topic,
            topic_given: options.topic_given,
            name,
            renamed_from: options
                .name
                .and_then(|(name, released)| released.then_some(name)),
            version: options.version.unwrap_or((1, Span::call_site())),
            key: options.key,
            topic_default: options.topic_default,
            topic_exclusive: options.topic_exclusive,
            codec: options.codec,
            deprecated: options.deprecated,
            lock: options.lock,
            doc: attributes::first_paragraph(&item.attrs),
            conditions: attributes::conditions(&item.attrs),
            derives,
            flat,
            item,
        }
    }
}

/// Whether the item asks for something that only `serde_derive` and `schemars_derive` know.
fn derives(body: &Body, item: &DeriveInput, codec: bool) -> bool {
    let any = |attributes: &[Attribute], names: &[&str]| {
        let mut paths = attributes.iter().map(Attribute::path);
        paths.any(|path| names.iter().any(|name| path.is_ident(name)))
    };
    match (body, &item.data) {
        (Body::Unit | Body::Unknown, _) => false,
        // A codec of one's own may be positional, and want a struct for what is a map otherwise.
        _ if codec => true,
        // As many as the core's reader keeps count of.
        (Body::Named(fields), Data::Struct(data)) if fields.len() <= 128 => {
            let mut fields = data.fields.iter();
            any(&item.attrs, &["serde", "schemars"])
                || fields.any(|field| any(&field.attrs, &["serde", "schemars", "cfg", "cfg_attr"]))
        }
        _ => true,
    }
}

/// Says in serde's words which fields have a default or another name.
fn say_in_serde(fields: &[Field], item: &mut DeriveInput) {
    let Data::Struct(data) = &mut item.data else {
        return;
    };
    for (known, field) in fields.iter().zip(&mut data.fields) {
        if let Some((name, _)) = &known.renamed {
            field.attrs.push(parse_quote!(#[serde(rename = #name)]));
        }
        match &known.default {
            _ if known.wire.default => {}
            Some(Fallback::Function(function)) => {
                let path = function.to_token_stream().to_string().replace(' ', "");
                let path = LitStr::new(&path, function.span());
                field.attrs.push(parse_quote!(#[serde(default = #path)]));
            }
            Some(Fallback::Type) => field.attrs.push(parse_quote!(#[serde(default)])),
            None => {}
        }
    }
}

fn body(word: &str, fields: &mut Fields, container: &wire::Container, errors: &mut Errors) -> Body {
    match fields {
        Fields::Unit => Body::Unit,
        Fields::Unnamed(fields) => {
            for field in &mut fields.unnamed {
                let options = field_options(word, &mut field.attrs, errors);
                owned(&field.ty, errors);
                wire::refuse_unknown_form(field, errors);
                if let Some(at) = options.at {
                    errors.at(
                        at,
                        "the one field of a newtype is the whole payload: it is always there",
                    );
                }
            }
            if let (Some(field), 1) = (fields.unnamed.first(), fields.unnamed.len()) {
                return Body::Newtype(Box::new(Newtype {
                    ty: field.ty.clone(),
                    own_form: wire::own_form(&field.attrs),
                }));
            }
            let remedy = "fields without names have no meaning on the wire: name them, `struct OrderPlaced { order_id: String }`";
            Body::Wrong(fields.to_token_stream(), remedy)
        }
        Fields::Named(fields) => Body::Named(
            fields
                .named
                .iter_mut()
                .filter_map(|field| named(word, field, container, errors))
                .collect(),
        ),
    }
}

fn named(
    word: &str,
    field: &mut syn::Field,
    container: &wire::Container,
    errors: &mut Errors,
) -> Option<Field> {
    let options = field_options(word, &mut field.attrs, errors);
    owned(&field.ty, errors);
    let mut wire = wire::field(field, container, errors);
    wire::refuse_unknown_form(field, errors);
    if let Some((name, _)) = &options.name {
        if wire.explicit || wire.flatten || wire.skip {
            errors.at(
                name,
                "`#[serde(rename)]`, `flatten` or `skip` says how the field is called on the wire: keep one",
            );
        } else if name.value().is_empty() {
            errors.at(name, "a field's name on the wire cannot be empty");
        } else if let Some(first) = wire.names.first_mut() {
            *first = name.value();
        }
    }
    let option = wire::is_option(&field.ty);
    let default = match options.default {
        // An `Option` with a deserializer of its own would not be optional otherwise.
        None if option && options.since.is_some() && !container.default => Some(Fallback::Type),
        given => given,
    };
    let has_default = container.default || default.is_some();
    wire::refuse_omitted(field, has_default, &format!("#[{word}(default)]"), errors);
    let optional = option || wire.default || container.default || default.is_some();
    Some(Field {
        ident: field.ident.clone()?,
        ty: field.ty.clone(),
        doc: attributes::first_paragraph(&field.attrs),
        wire,
        renamed: options.name,
        default,
        since: options.since,
        upcast: options.upcast,
        optional,
    })
}

/// Refuses what no event can hold, at its outermost type.
fn owned(ty: &Type, errors: &mut Errors) {
    match ty {
        // Of another lifetime the event would have a parameter, which is told already.
        Type::Reference(reference) if reference.lifetime.as_ref().is_some_and(|of| of.ident == "static") => errors.at(
            ty,
            "an event owns what it holds, since it is read from a record: write `String` for text, `Vec` for a slice, or the \
             type itself",
        ),
        Type::Path(path) => {
            for segment in &path.path.segments {
                if segment.ident == "Rc" {
                    errors.at(ty, "an event goes from thread to thread, and `Rc` does not: write `Arc`, or the type that it holds");
                    return;
                }
                if ["Cell", "RefCell"].iter().any(|name| segment.ident == name) {
                    errors.at(ty, format!("threads share an event, and not a `{}`: write the type that it holds", segment.ident));
                    return;
                }
                if let PathArguments::AngleBracketed(of) = &segment.arguments {
                    for argument in &of.args {
                        if let GenericArgument::Type(ty) = argument {
                            owned(ty, errors);
                        }
                    }
                }
            }
        }
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|ty| owned(ty, errors)),
        Type::Array(array) => owned(&array.elem, errors),
        Type::Group(group) => owned(&group.elem, errors),
        Type::Paren(paren) => owned(&paren.elem, errors),
        _ => {}
    }
}

/// Takes our attributes off a field.
fn field_options(word: &str, attributes: &mut Vec<Attribute>, errors: &mut Errors) -> FieldOptions {
    let ours = attributes::take(attributes, word);
    let other = if word == "event" { "command" } else { "event" };
    for wrong in attributes::take(attributes, other) {
        errors.at(
            wrong,
            format!("the fields of this struct take `#[{word}(…)]`, as the struct itself does"),
        );
    }
    let tokens = ours.iter().map(attributes::arguments);
    // Several attributes on one field count as one.
    let mut all = TokenStream::new();
    for tokens in tokens {
        all.extend(tokens);
        all.extend(quote!(,));
    }
    FieldOptions::read(all, errors)
}

impl Field {
    /// Records of versions below this one get it from an upcaster.
    pub(super) fn upcast_since(&self) -> Option<u32> {
        let (since, _) = self.since?;
        self.upcast.as_ref().map(|_| since)
    }

    /// What it is called on the wire.
    pub(super) fn wire_name(&self) -> String {
        let first = self.wire.names.first().cloned();
        first.unwrap_or_else(|| crate::options::plain(&self.ident))
    }
}
