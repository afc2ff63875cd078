//! JSON Schemas of events.

use std::borrow::Cow;

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

/// What a schema says about a field.
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// Whether a record may lack it.
    pub optional: bool,
    /// The schema of its type.
    pub schema: Schema,
}

/// The schema of a struct with named fields.
pub fn object(doc: &str, fields: &mut dyn Iterator<Item = Property>) -> Schema {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let mut schema = field.schema;
        if !field.doc.is_empty() {
            schema.insert("description".to_owned(), field.doc.into());
        }
        properties.insert(field.name.to_owned(), schema.to_value());
        if !field.optional {
            required.push(Value::from(field.name));
        }
    }
    let mut schema = Schema::default();
    schema.insert("type".to_owned(), "object".into());
    if !doc.is_empty() {
        schema.insert("description".to_owned(), doc.into());
    }
    schema.insert("properties".to_owned(), properties.into());
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    schema
}

/// A schema that stands alone: not generic, so that it is compiled once and not for every event.
pub(crate) fn root(
    name: fn() -> Cow<'static, str>,
    schema: fn(&mut SchemaGenerator) -> Schema,
) -> Value {
    let mut generator = SchemaGenerator::default();
    let mut schema = schema(&mut generator);
    let object = schema.ensure_object();
    object.entry("title").or_insert_with(|| name().into());
    if let Some(meta) = generator.settings().meta_schema.as_deref() {
        object.insert("$schema".to_owned(), meta.into());
    }
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        object.insert("$defs".to_owned(), definitions.into());
    }
    schema.to_value()
}
