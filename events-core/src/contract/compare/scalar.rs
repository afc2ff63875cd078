//! Keywords that look at a value and not into it.

use serde_json::{Map, Value};

use super::bound::{self, Side};
use super::case::{Case, Kind, listed};
use super::{Break, enum_value, undecided};
use crate::contract::Rule;

/// Keywords that are compared for being the same, with those that they hang on.
const SAME: [(&str, &[&str]); 4] = [
    ("if", &["if", "then", "else"]),
    ("dependentSchemas", &["dependentSchemas"]),
    ("dependencies", &["dependencies"]),
    ("$dynamicRef", &["$dynamicRef"]),
];

pub(super) fn check(case: &Case<'_>, part: &Map<String, Value>, at: &str, found: &mut Vec<Break>) {
    let mut broken = |rule, why: String| {
        found.push(Break {
            at: at.to_owned(),
            rule,
            why,
        });
    };
    if !case.kind.fits(part) {
        let read = part.get("type").unwrap_or(&Value::Null);
        broken(Rule::Type, format!("{case} is written, and {read} is read"));
        return;
    }
    if case.kind.is_number() {
        number(case, part, &mut broken);
    }
    if case.kind == Kind::String {
        string(case, part, &mut broken);
    }
    if let Some(values) = listed(part) {
        match &case.value {
            Some(value) if values.contains(&value) => {}
            Some(_) => found.push(enum_value(case, at)),
            None => found.push(Break {
                at: at.to_owned(),
                rule: Rule::EnumValue,
                why: format!("{case} of any value is written, and only some values are read"),
            }),
        }
    }
    if let Some(refused) = part.get("not")
        && !not(case, refused)
    {
        found.push(undecided(at, "the reader's `not` is not the writer's"));
    }
    for (keyword, all) in SAME {
        let same =
            |writer: &&Map<String, Value>| all.iter().all(|one| writer.get(*one) == part.get(*one));
        if part.contains_key(keyword) && !case.parts.iter().any(same) {
            found.push(undecided(
                at,
                format!("the reader's `{keyword}` is not the writer's"),
            ));
        }
    }
}

/// Whether a case is surely none of what is refused.
fn not(case: &Case<'_>, refused: &Value) -> bool {
    if case.says("not", refused) {
        return true;
    }
    let Some(map) = refused.as_object() else {
        return refused == &Value::Bool(false);
    };
    let only_lists = map
        .keys()
        .all(|key| ["const", "enum", "type"].contains(&key.as_str()));
    match (&case.value, listed(map)) {
        _ if !only_lists => false,
        _ if !case.kind.fits(map) => true,
        (Some(value), Some(values)) => !values.contains(&value),
        _ => false,
    }
}

fn number(case: &Case<'_>, part: &Map<String, Value>, broken: &mut impl FnMut(Rule, String)) {
    for (side, word) in [(Side::Low, "below"), (Side::High, "above")] {
        if let Some(reader) = bound::of(part, side)
            && !bound::written(case, side).is_some_and(|writer| writer.within(reader, side))
        {
            let end = match reader.point {
                bound::Point::Whole(whole) => whole.to_string(),
                bound::Point::Other(other) => other.to_string(),
            };
            broken(
                Rule::Range,
                format!("{case} {word} {end} may be written, which is not read"),
            );
        }
    }
    if let Some(step) = part.get("multipleOf")
        && !multiple(case, step)
    {
        broken(
            Rule::MultipleOf,
            format!("{case} is written that need not be a multiple of {step}"),
        );
    }
    if part.get("format").and_then(Value::as_str) == Some("float")
        && case.said("format").any(|format| format == "double")
    {
        broken(
            Rule::Format,
            "digits are written that a reader of 32-bit numbers loses".to_owned(),
        );
    }
}

fn multiple(case: &Case<'_>, step: &Value) -> bool {
    let whole = |value: &Value| match value.as_number().map(bound::Point::of) {
        Some(bound::Point::Whole(whole)) => Some(whole),
        _ => None,
    };
    let divided = |value: &Value| match (whole(value), whole(step)) {
        (Some(value), Some(step)) if step != 0 => value % step == 0,
        _ => value == step,
    };
    let every_integer = case.kind == Kind::Integer && whole(step) == Some(1);
    every_integer
        || case.value.as_ref().is_some_and(divided)
        || case.said("multipleOf").any(divided)
}

fn string(case: &Case<'_>, part: &Map<String, Value>, broken: &mut impl FnMut(Rule, String)) {
    let length = match &case.value {
        Some(Value::String(text)) => Some(u64::try_from(text.chars().count()).unwrap_or(u64::MAX)),
        _ => None,
    };
    let (least, most) = counts(case, ("minLength", "maxLength"), length);
    for why in outside(part, ("minLength", "maxLength"), least, most) {
        broken(
            Rule::Length,
            format!("{case} of {why} characters may be written"),
        );
    }
    if let Some(pattern) = part.get("pattern")
        && !case.says("pattern", pattern)
    {
        broken(
            Rule::Pattern,
            format!("{case} is written that need not match {pattern}"),
        );
    }
    if let Some(format) = part.get("format")
        && !case.says("format", format)
    {
        broken(
            Rule::Format,
            format!("{case} is written that need not have the format {format}"),
        );
    }
}

/// How few and how many a case may have of something.
pub(super) fn counts(
    case: &Case<'_>,
    (least, most): (&str, &str),
    exact: Option<u64>,
) -> (u64, u64) {
    if let Some(exact) = exact {
        return (exact, exact);
    }
    let least = case.said(least).filter_map(whole).max();
    let most = case.said(most).filter_map(whole).min();
    (least.unwrap_or(0), most.unwrap_or(u64::MAX))
}

/// Which counts between `least` and `most` a schema does not take.
pub(super) fn outside(
    part: &Map<String, Value>,
    (low, high): (&str, &str),
    least: u64,
    most: u64,
) -> impl Iterator<Item = String> {
    let low = part.get(low).and_then(whole).filter(|low| least < *low);
    let high = part.get(high).and_then(whole).filter(|high| most > *high);
    let fewer = low.map(|low| format!("fewer than {low}"));
    fewer
        .into_iter()
        .chain(high.map(|high| format!("more than {high}")))
}

/// A count, which JSON Schema lets be written as `2.0`.
pub(super) fn whole(value: &Value) -> Option<u64> {
    let number = value.as_f64().filter(|number| *number >= 0.0);
    value
        .as_u64()
        .or_else(|| number.map(|number| number as u64))
}
