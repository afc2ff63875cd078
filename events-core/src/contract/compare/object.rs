//! Keywords about objects.

use serde_json::{Map, Value};

use super::case::Case;
use super::scalar::{counts, outside};
use super::{Answer, Break, Comparison, enum_value, undecided};
use crate::contract::Rule;

type Schema = Map<String, Value>;

pub(super) fn check<'a>(
    comparison: &mut Comparison<'a>,
    case: &Case<'a>,
    part: &'a Schema,
    at: &str,
) -> Answer {
    let mut answer = Answer::of(Vec::new());
    if case.value.is_some() {
        if !part.contains_key("enum") && !part.contains_key("const") && looks_inside(part) {
            answer.breaks.push(enum_value(case, at));
        }
        return answer;
    }
    required(case, part, at, &mut answer);
    count(case, part, at, &mut answer);
    for (name, writer) in written(comparison, case) {
        let of_field = field(comparison, &name, &writer, part, at);
        answer.add(of_field);
    }
    let others = others(comparison, case, part, at);
    answer.add(others);
    for keyword in ["propertyNames", "dependentRequired"] {
        if let Some(wanted) = part.get(keyword)
            && !case.says(keyword, wanted)
        {
            let (rule, why) = match keyword {
                "propertyNames" => (
                    Rule::FieldNames,
                    "the reader asks something of names that the writer does not",
                ),
                _ => (
                    Rule::DependentField,
                    "the reader wants fields beside others that the writer may leave out",
                ),
            };
            answer.breaks.push(Break {
                at: at.to_owned(),
                rule,
                why: why.to_owned(),
            });
        }
    }
    if part.contains_key("unevaluatedProperties") {
        answer
            .breaks
            .push(undecided(at, "the reader says `unevaluatedProperties`"));
    }
    answer
}

fn looks_inside(part: &Schema) -> bool {
    let keywords = [
        "properties",
        "required",
        "additionalProperties",
        "patternProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
        "dependentRequired",
    ];
    keywords.iter().any(|keyword| part.contains_key(*keyword))
}

fn required(case: &Case<'_>, part: &Schema, at: &str, answer: &mut Answer) {
    let always: Vec<_> = case
        .said("required")
        .filter_map(Value::as_array)
        .flatten()
        .collect();
    for name in part
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if !always.contains(&name) {
            let name = name.as_str().unwrap_or_default();
            answer.breaks.push(Break {
                at: below(at, name),
                rule: Rule::Required,
                why: format!(
                    "`{name}` may be missing from what is written, and the reader needs it"
                ),
            });
        }
    }
}

fn count(case: &Case<'_>, part: &Schema, at: &str, answer: &mut Answer) {
    let (mut least, mut most) = counts(case, ("minProperties", "maxProperties"), None);
    let required = case
        .said("required")
        .filter_map(Value::as_array)
        .map(Vec::len)
        .max();
    least = least.max(
        required
            .and_then(|all| u64::try_from(all).ok())
            .unwrap_or(0),
    );
    // A closed writer has no more fields than it names.
    if !case.parts.iter().any(|part| names_others(part)) {
        let named = case
            .said("properties")
            .filter_map(Value::as_object)
            .flat_map(Map::keys);
        let mut named: Vec<_> = named.collect();
        named.sort_unstable();
        named.dedup();
        most = most.min(u64::try_from(named.len()).unwrap_or(u64::MAX));
    }
    for why in outside(part, ("minProperties", "maxProperties"), least, most) {
        answer.breaks.push(Break {
            at: at.to_owned(),
            rule: Rule::FieldCount,
            why: format!("{why} fields may be written"),
        });
    }
}

/// Whether a schema lets fields be written that it does not name.
fn names_others(part: &Schema) -> bool {
    let additional = part.get("additionalProperties");
    additional.is_some_and(|schema| schema != &Value::Bool(false))
        || part.contains_key("patternProperties")
}

/// The fields that the writer names and may write, with what it writes there.
fn written<'a>(comparison: &Comparison<'a>, case: &Case<'a>) -> Vec<(String, Vec<&'a Value>)> {
    let named = case.said("properties").filter_map(Value::as_object);
    let mut names: Vec<&'a str> = named.flat_map(Map::keys).map(String::as_str).collect();
    // What must be written is, whether it is named or not.
    let required = case.said("required").filter_map(Value::as_array).flatten();
    names.extend(required.filter_map(Value::as_str));
    names.sort_unstable();
    names.dedup();
    let mut written = Vec::new();
    for name in names {
        let schemas: Vec<_> = case
            .parts
            .iter()
            .filter_map(|part| property(part, name))
            .collect();
        if !comparison.is_empty_writer(&schemas) {
            written.push((name.to_owned(), schemas));
        }
    }
    written
}

/// What a schema says of the field `name`.
fn property<'a>(part: &'a Schema, name: &str) -> Option<&'a Value> {
    let named = part.get("properties").and_then(Value::as_object);
    named.and_then(|named| named.get(name)).or_else(|| {
        // A field whose name matches a pattern is not additional; then nothing is known of it here.
        let additional = part.get("additionalProperties");
        additional.filter(|_| !part.contains_key("patternProperties"))
    })
}

fn field<'a>(
    comparison: &mut Comparison<'a>,
    name: &str,
    writer: &[&'a Value],
    part: &'a Schema,
    at: &str,
) -> Answer {
    let at = below(at, name);
    let named = part.get("properties").and_then(Value::as_object);
    let known = named.and_then(|named| named.get(name));
    if part.contains_key("patternProperties") {
        return Answer::of(vec![undecided(
            &at,
            format!("the reader's `patternProperties` may be about `{name}`"),
        )]);
    }
    match known.or_else(|| part.get("additionalProperties")) {
        None => Answer::of(Vec::new()),
        Some(Value::Bool(false)) if known.is_none() => {
            Answer::of(vec![unknown(&at, &format!("`{name}`"))])
        }
        Some(reader) => comparison.reads(writer, &[reader], &at),
    }
}

fn unknown(at: &str, what: &str) -> Break {
    Break {
        at: at.to_owned(),
        rule: Rule::UnknownField,
        why: format!("{what} may be written, and the reader refuses fields that it does not know"),
    }
}

/// Fields that the writer does not name, as those of a map.
fn others<'a>(
    comparison: &mut Comparison<'a>,
    case: &Case<'a>,
    part: &'a Schema,
    at: &str,
) -> Answer {
    let mut answer = Answer::of(Vec::new());
    if !case.parts.iter().any(|part| names_others(part)) {
        return answer;
    }
    let patterned = |part: &'a Schema| part.get("patternProperties").and_then(Value::as_object);
    let at_any = format!("{at}{{}}");
    let additional = |part: &'a Schema| part.get("additionalProperties");
    let by_pattern: Vec<_> = case
        .parts
        .iter()
        .filter_map(|part| patterned(part))
        .flatten()
        .collect();
    let reader_patterns = patterned(part);
    for (pattern, writer) in &by_pattern {
        match (
            reader_patterns.and_then(|all| all.get(*pattern)),
            additional(part),
        ) {
            (Some(reader), _) => answer.add(comparison.reads(&[*writer], &[reader], &at_any)),
            (None, _) if reader_patterns.is_some() || part.contains_key("properties") => {
                answer.breaks.push(undecided(
                    &at_any,
                    "the writer's `patternProperties` are not the reader's",
                ));
            }
            (None, Some(reader)) => answer.add(comparison.reads(&[*writer], &[reader], &at_any)),
            (None, None) => {}
        }
    }
    let free: Vec<_> = case
        .parts
        .iter()
        .filter_map(|part| additional(part))
        .collect();
    if free.is_empty() || free.contains(&&Value::Bool(false)) || comparison.is_empty_writer(&free) {
        return answer;
    }
    if reader_patterns.is_some() && by_pattern.is_empty() {
        answer.breaks.push(undecided(
            &at_any,
            "the reader's `patternProperties` are not the writer's",
        ));
        return answer;
    }
    // Any name may be written, so also each that the reader names and the writer does not.
    let named = part.get("properties").and_then(Value::as_object);
    for (name, reader) in named.into_iter().flatten() {
        if !case
            .said("properties")
            .any(|properties| properties.get(name).is_some())
        {
            let of_field = comparison.reads(&free, &[reader], &below(at, name));
            answer.add(of_field);
        }
    }
    match additional(part) {
        None => {}
        Some(Value::Bool(false)) => answer.breaks.push(unknown(&at_any, "any field")),
        Some(reader) => answer.add(comparison.reads(&free, &[reader], &at_any)),
    }
    answer
}

fn below(at: &str, name: &str) -> String {
    format!("{at}.{name}")
}
