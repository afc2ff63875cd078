//! A case: one type, or one value, that a writer may write.

use std::fmt;

use serde_json::{Map, Value};

use super::Parts;

/// The types of JSON, with numbers told apart into whole and other ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Boolean,
    Integer,
    Fraction,
    String,
    Array,
    Object,
}

const KINDS: [Kind; 7] = [
    Kind::Null,
    Kind::Boolean,
    Kind::Integer,
    Kind::Fraction,
    Kind::String,
    Kind::Array,
    Kind::Object,
];

/// What a writer may write: values of one type that fit all parts, or one value.
pub(super) struct Case<'a> {
    pub(super) parts: Parts<'a>,
    pub(super) kind: Kind,
    pub(super) value: Option<Value>,
}

/// The cases of schemas that hold at once.
pub(super) fn all<'a>(parts: &Parts<'a>) -> Vec<Case<'a>> {
    let kinds: Vec<_> = KINDS
        .into_iter()
        .filter(|kind| parts.iter().all(|part| kind.fits(part)))
        .collect();
    let of_value = |value: Value| {
        let kind = Kind::of(&value);
        kinds.contains(&kind).then(|| Case {
            parts: parts.clone(),
            kind,
            value: Some(value),
        })
    };
    if let Some(values) = enumerated(parts) {
        return values.into_iter().filter_map(of_value).collect();
    }
    let mut cases = Vec::new();
    for kind in &kinds {
        match kind {
            Kind::Null => cases.extend(of_value(Value::Null)),
            Kind::Boolean => cases.extend(
                [true, false]
                    .into_iter()
                    .filter_map(|is| of_value(is.into())),
            ),
            kind => cases.push(Case {
                parts: parts.clone(),
                kind: *kind,
                value: None,
            }),
        }
    }
    cases
}

/// The values that every `enum` and `const` of the parts holds; none if there is neither.
fn enumerated(parts: &Parts<'_>) -> Option<Vec<Value>> {
    let mut values: Option<Vec<Value>> = None;
    for part in parts {
        if let Some(listed) = listed(part) {
            values = Some(match values {
                None => listed.into_iter().cloned().collect(),
                Some(known) => known
                    .into_iter()
                    .filter(|value| listed.contains(&value))
                    .collect(),
            });
        }
    }
    values
}

/// The values that a schema lists, by `const` or `enum`.
pub(super) fn listed(part: &Map<String, Value>) -> Option<Vec<&Value>> {
    match (part.get("const"), part.get("enum")) {
        (Some(value), Some(Value::Array(values))) => {
            Some(values.iter().filter(|known| *known == value).collect())
        }
        (Some(value), _) => Some(vec![value]),
        (None, Some(Value::Array(values))) => Some(values.iter().collect()),
        _ => None,
    }
}

impl Kind {
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Fraction,
            Value::Number(_) => Self::Integer,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// Whether `type` allows it.
    pub(super) fn fits(self, part: &Map<String, Value>) -> bool {
        match part.get("type") {
            Some(Value::String(name)) => self.is_called(name),
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .any(|name| self.is_called(name)),
            _ => true,
        }
    }

    fn is_called(self, name: &str) -> bool {
        match self {
            Self::Null => name == "null",
            Self::Boolean => name == "boolean",
            Self::Integer => name == "integer" || name == "number",
            Self::Fraction => name == "number",
            Self::String => name == "string",
            Self::Array => name == "array",
            Self::Object => name == "object",
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Fraction)
    }
}

impl<'a> Case<'a> {
    /// Whether an alternative of the reader is about the same type at all.
    pub(super) fn may_fit(&self, parts: &Parts<'_>) -> bool {
        parts.iter().all(|part| self.kind.fits(part))
    }

    /// What the parts say under a keyword.
    pub(super) fn said<'b>(
        &'b self,
        keyword: &'b str,
    ) -> impl Iterator<Item = &'a Value> + use<'a, 'b> {
        self.parts.iter().filter_map(move |part| part.get(keyword))
    }

    /// Whether one of the parts says exactly this.
    pub(super) fn says(&self, keyword: &str, wanted: &Value) -> bool {
        self.said(keyword).any(|said| said == wanted)
    }
}

impl fmt::Display for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(value) = &self.value {
            return write!(f, "`{value}`");
        }
        f.write_str(match self.kind {
            Kind::Null => "null",
            Kind::Boolean => "a boolean",
            Kind::Integer => "an integer",
            Kind::Fraction => "a number with a fraction",
            Kind::String => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        })
    }
}
