//! Keywords about lists.

use serde_json::{Map, Value};

use super::case::Case;
use super::scalar::{counts, outside};
use super::{Answer, Break, Comparison, enum_value, undecided};
use crate::contract::Rule;

const TRUE: &Value = &Value::Bool(true);

pub(super) fn check<'a>(
    comparison: &mut Comparison<'a>,
    case: &Case<'a>,
    part: &'a Map<String, Value>,
    at: &str,
) -> Answer {
    let mut answer = Answer::of(Vec::new());
    let mut broken = |rule, why| {
        answer.breaks.push(Break {
            at: at.to_owned(),
            rule,
            why,
        });
    };
    if case.value.is_some() {
        if !part.contains_key("enum") && !part.contains_key("const") && looks_inside(part) {
            answer.breaks.push(enum_value(case, at));
        }
        return answer;
    }
    let (least, most) = counts(case, ("minItems", "maxItems"), None);
    for why in outside(part, ("minItems", "maxItems"), least, most) {
        broken(Rule::ItemCount, format!("{why} items may be written"));
    }
    if part.get("uniqueItems") == Some(TRUE) && !case.says("uniqueItems", TRUE) && most > 1 {
        broken(
            Rule::UniqueItems,
            "the same item may be written twice".to_owned(),
        );
    }
    if part.contains_key("contains") {
        let hang = ["contains", "minContains", "maxContains"];
        let same = |writer: &&Map<String, Value>| {
            hang.iter().all(|one| writer.get(*one) == part.get(*one))
        };
        if !case.parts.iter().any(same) {
            answer
                .breaks
                .push(undecided(at, "the reader's `contains` is not the writer's"));
        }
    }
    if part.contains_key("unevaluatedItems") {
        answer
            .breaks
            .push(undecided(at, "the reader says `unevaluatedItems`"));
    }
    let positions = case
        .parts
        .iter()
        .copied()
        .chain([part])
        .map(prefix)
        .max()
        .unwrap_or(0);
    for index in 0..=positions {
        if u64::try_from(index).is_ok_and(|index| index >= most) {
            break;
        }
        let Some(reader) = item(part, index) else {
            continue;
        };
        let writer: Vec<_> = case
            .parts
            .iter()
            .filter_map(|part| item(part, index))
            .collect();
        let writer = if writer.is_empty() {
            vec![TRUE]
        } else {
            writer
        };
        // Where nothing can be written, a list ends before.
        if comparison.is_empty_writer(&writer) {
            continue;
        }
        let at = if index < positions {
            format!("{at}[{index}]")
        } else {
            format!("{at}[]")
        };
        let of_item = comparison.reads(&writer, &[reader], &at);
        answer.add(of_item);
    }
    answer
}

fn looks_inside(part: &Map<String, Value>) -> bool {
    let keywords = [
        "items",
        "prefixItems",
        "minItems",
        "maxItems",
        "uniqueItems",
        "contains",
    ];
    keywords.iter().any(|keyword| part.contains_key(*keyword))
}

fn prefix(part: &Map<String, Value>) -> usize {
    part.get("prefixItems")
        .and_then(Value::as_array)
        .map_or(0, Vec::len)
}

fn item(part: &Map<String, Value>, index: usize) -> Option<&Value> {
    let prefix = part.get("prefixItems").and_then(Value::as_array);
    prefix
        .and_then(|prefix| prefix.get(index))
        .or_else(|| part.get("items"))
}
