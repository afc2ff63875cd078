//! How fields are called on the wire, after `#[serde(…)]`.

use syn::{Attribute, Field, LitStr};

use crate::errors::Errors;
use crate::options::{self, Given, Value};

/// What `#[serde(…)]` says about a struct or enum.
#[derive(Default)]
pub(crate) struct Container {
    rename_all: Option<String>,
    /// Every field has a default.
    pub(crate) default: bool,
}

/// What `#[serde(…)]` says about a field.
#[derive(Default)]
pub(crate) struct Wire {
    /// Names that the field answers to, the one it is written under first; empty if it is not on the wire as itself.
    pub(crate) names: Vec<String>,
    /// `#[serde(rename)]` says how it is called.
    pub(crate) explicit: bool,
    /// It has a default already.
    pub(crate) default: bool,
    /// Its own fields stand in its place.
    pub(crate) flatten: bool,
    /// It is left out on the wire.
    pub(crate) skip: bool,
}

/// Reads a container's attributes; refuses what would break old readers, and what `by` says itself.
pub(crate) fn container(attributes: &[Attribute], by: &str, errors: &mut Errors) -> Container {
    let mut container = Container::default();
    for given in serde(attributes) {
        match given.name().as_str() {
            "deny_unknown_fields" => errors.at(
                &given,
                "a reader must ignore fields that a later version adds: remove `deny_unknown_fields`",
            ),
            "crate" => errors.at(&given, format!("`#[{by}]` says where serde is: remove it here")),
            "default" => container.default = true,
            "rename_all" if matches!(given.value, Value::List(_)) => errors.at(
                &given,
                "an event is read under the names that it is written under: give one rule, `rename_all = \"…\"`",
            ),
            "rename_all" => container.rename_all = text(&given),
            _ => {}
        }
    }
    container
}

/// Reads the attributes of a field.
pub(crate) fn field(field: &Field, container: &Container, errors: &mut Errors) -> Wire {
    let mut wire = Wire::default();
    let mut aliases = Vec::new();
    let mut renamed = None;
    for given in serde(&field.attrs) {
        match given.name().as_str() {
            "rename" if matches!(given.value, Value::List(_)) => errors.at(
                &given,
                "an event is read under the names that it is written under: give one name, `rename = \"…\"`, and further ones by `alias`",
            ),
            "rename" => {
                wire.explicit = true;
                renamed = text(&given);
            }
            "alias" => aliases.extend(text(&given)),
            "default" => wire.default = true,
            "flatten" => wire.flatten = true,
            "skip" | "skip_serializing" | "skip_deserializing" => wire.skip = true,
            _ => {}
        }
    }
    if let Some(name) = &field.ident
        && !wire.flatten
        && !wire.skip
    {
        let plain = options::plain(name);
        wire.names
            .push(renamed.unwrap_or_else(|| rename(&plain, container.rename_all.as_deref())));
        wire.names.extend(aliases);
    }
    wire
}

fn serde(attributes: &[Attribute]) -> impl Iterator<Item = Given> {
    let serde = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"));
    serde.flat_map(options::foreign)
}

fn text(given: &Given) -> Option<String> {
    match &given.value {
        Value::Equals(tokens) => syn::parse2::<LitStr>(tokens.clone())
            .ok()
            .map(|text| text.value()),
        Value::Flag | Value::List(_) => None,
    }
}

/// Serde's rules for fields, which are written in `snake_case`.
fn rename(field: &str, rule: Option<&str>) -> String {
    let words = || field.split('_').filter(|word| !word.is_empty());
    match rule {
        Some("UPPERCASE" | "SCREAMING_SNAKE_CASE") => field.to_ascii_uppercase(),
        Some("PascalCase") => words().map(capitalized).collect(),
        Some("camelCase") => {
            let pascal: String = words().map(capitalized).collect();
            pascal
                .get(..1)
                .map(str::to_ascii_lowercase)
                .unwrap_or_default()
                + pascal.get(1..).unwrap_or_default()
        }
        Some("kebab-case") => field.replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => field.to_ascii_uppercase().replace('_', "-"),
        // `lowercase` and `snake_case` leave a field as it is; a rule that serde does not know is its error.
        _ => field.to_owned(),
    }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase())
        .into_iter()
        .chain(letters)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::rename;

    #[test]
    fn fields_are_renamed_as_serde_does() {
        for (rule, expected) in [
            ("UPPERCASE", "UNIT_PRICE"),
            ("SCREAMING_SNAKE_CASE", "UNIT_PRICE"),
            ("PascalCase", "UnitPrice"),
            ("camelCase", "unitPrice"),
            ("kebab-case", "unit-price"),
            ("SCREAMING-KEBAB-CASE", "UNIT-PRICE"),
            ("snake_case", "unit_price"),
            ("lowercase", "unit_price"),
        ] {
            assert_eq!(rename("unit_price", Some(rule)), expected);
        }
        assert_eq!(rename("unit_price", None), "unit_price");
    }
}
