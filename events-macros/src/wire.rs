//! How fields are called on the wire, after `#[serde(…)]`.

use quote::ToTokens;
use syn::{Attribute, Data, DeriveInput, Field, LitStr, Path, Type, parse_quote};

use crate::errors::Errors;
use crate::options::{self, Given, Value};

/// Attribute macros of `serde_with`.
const LATE: [&str; 2] = ["serde_as", "skip_serializing_none"];

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
    /// The functions that write or read it: its type does not say what stands on the wire.
    pub(crate) own_form: Option<String>,
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
    let mut wire = Wire {
        own_form: own_form(&field.attrs),
        ..Wire::default()
    };
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

/// The path of the functions that write or read a field in a form of its own.
pub(crate) fn own_form(attributes: &[Attribute]) -> Option<String> {
    let names = ["with", "serialize_with", "deserialize_with"];
    let mut all = serde(attributes).filter(|given| names.contains(&given.name().as_str()));
    all.find_map(|given| text(&given))
}

/// Refuses a field whose form on the wire is written by functions, of which nothing tells the schema. A type behind `with`
/// has one of its own.
pub(crate) fn refuse_unknown_form(field: &mut Field, errors: &mut Errors) {
    let told = |given: &Given| ["with", "schema_with", "skip"].contains(&given.name().as_str());
    let mut schemars = field
        .attrs
        .iter()
        .filter(|one| one.path().is_ident("schemars"));
    if schemars.any(|attribute| options::foreign(attribute).iter().any(told)) {
        return;
    }
    let functions = serde(&field.attrs).find(|given| match given.name().as_str() {
        "serialize_with" => true,
        "with" => text(given).is_some_and(|path| !is_type_with_a_schema(&path)),
        _ => false,
    });
    let Some(functions) = functions else {
        return;
    };
    let (option, name) = (functions.name(), &field.ident);
    let whose = name.as_ref().map_or("the field".to_owned(), |name| {
        format!("`{}`", options::plain(name))
    });
    errors.at(
        name.as_ref().map_or(functions.to_token_stream(), ToTokens::to_token_stream),
        format!(
            "`{option}` says how {whose} is written, and nothing says what its schema is: add the type that stands on the \
             wire, such as `#[schemars(with = \"String\")]`"
        ),
    );
    // So that this is the only error.
    field.attrs.push(parse_quote!(#[schemars(with = "()")]));
}

/// Whether `with` names a type, not a module. `serde_with`'s has no schema without more.
fn is_type_with_a_schema(path: &str) -> bool {
    let Ok(path) = syn::parse_str::<Path>(path) else {
        return true;
    };
    let foreign = path
        .segments
        .first()
        .is_some_and(|first| first.ident == "serde_with");
    let last = path.segments.last().map(|last| last.ident.to_string());
    !foreign && last.is_some_and(|name| name.starts_with(char::is_uppercase))
}

/// Refuses attribute macros that write `#[serde(…)]` attributes where `by` has no sight of them, and takes them out.
pub(crate) fn refuse_late_macros(item: &mut DeriveInput, by: &str, errors: &mut Errors) {
    let mut late = Vec::new();
    item.attrs.retain(|attribute| {
        let last = attribute.path().segments.last();
        let is_late = last.is_some_and(|last| LATE.iter().any(|name| last.ident == name));
        if is_late {
            late.push(attribute.path().clone());
        }
        !is_late
    });
    for path in &late {
        let name = path.segments.last().map(|last| last.ident.to_string());
        errors.at(
            path,
            format!(
                "`#[{}]` writes `#[serde(…)]` attributes, which `#[{by}]` must see: put it above `#[{by}]`",
                name.unwrap_or_default()
            ),
        );
    }
    if let (false, Data::Struct(data)) = (late.is_empty(), &mut item.data) {
        for field in &mut data.fields {
            crate::attributes::take(&mut field.attrs, "serde_as");
        }
    }
}

/// Refuses a field that a writer may leave out and that a reader needs. `default` is how one is given.
pub(crate) fn refuse_omitted(field: &Field, has_default: bool, default: &str, errors: &mut Errors) {
    let all: Vec<_> = serde(&field.attrs).collect();
    let says = |names: &[&str]| {
        all.iter()
            .any(|given| names.contains(&given.name().as_str()))
    };
    let own_reader = says(&["with", "deserialize_with"]);
    // An `Option` with a reader of its own must be there.
    let is_optional = has_default || says(&["default"]) || (is_option(&field.ty) && !own_reader);
    if is_optional || says(&["skip", "skip_deserializing"]) {
        return;
    }
    let omits = |given: &&Given| {
        ["skip_serializing", "skip_serializing_if"].contains(&given.name().as_str())
    };
    let name = field.ident.as_ref().map(options::plain).unwrap_or_default();
    for given in all.iter().filter(omits) {
        errors.at(
            given,
            format!(
                "`{name}` may be missing from what is written, and a reader needs it: give it a default, `{default}`, or \
                 remove `{}`",
                given.name()
            ),
        );
    }
}

pub(crate) fn is_option(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "Option"),
        Type::Group(group) => is_option(&group.elem),
        Type::Paren(paren) => is_option(&paren.elem),
        _ => false,
    }
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
