//! Whether a reader takes everything that a writer may write, told from their JSON Schemas.
//!
//! A writer writes what fits its schema, and of each object only the fields that its schema names: it is *closed*. A
//! reader takes what fits its schema, whatever other fields there are, unless it says `additionalProperties`: it is
//! *open*. So a new optional field is compatible both ways, which it would not be under the plain reading of JSON
//! Schema, where anybody may have written anything under that name.
//!
//! The writer is taken apart into *cases*: one for each alternative of its `anyOf` and `oneOf`, and in that for each type or
//! enumerated value. Each case must be read by one of the reader's alternatives. What cannot be told is a break.

mod alternatives;
mod array;
mod bound;
mod case;
mod object;
mod scalar;

use std::collections::HashMap;

use serde_json::{Map, Value};

use self::alternatives::{Alternatives, Role};
use self::case::Case;
use super::rule::Rule;

/// Schemas are compared to this depth; what lies deeper is undecided.
const DEPTH: usize = 100;

/// So many comparisons are made, so that hostile schemas end; what is left is undecided.
const STEPS: u32 = 50_000;

/// So many breaks are told of one place: a type that stands in two fields of a type, and that one in two of another,
/// would break at ever more places.
const TOLD: usize = 250;

/// Something that a writer may write and a reader cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// Where: names of fields joined by dots, `[]` for the items of a list, `{}` for the values of a map. Empty for the payload itself.
    pub at: String,
    /// The rule that it breaks.
    pub rule: Rule,
    /// What was seen.
    pub why: String,
}

/// What a reader of schema `reader` cannot read of what a writer of schema `writer` may write; empty if it reads all.
pub fn reads(writer: &Value, reader: &Value) -> Vec<Break> {
    let mut comparison = Comparison {
        writer,
        reader,
        open: Vec::new(),
        known: HashMap::new(),
        steps: 0,
    };
    let mut breaks = comparison.reads(&[writer], &[reader], "").breaks;
    for found in &mut breaks {
        // Inside, each name has a dot before it.
        if let Some(at) = found.at.strip_prefix('.') {
            found.at = at.to_owned();
        }
    }
    breaks
}

/// Schemas that hold at once.
type Parts<'a> = Vec<&'a Map<String, Value>>;

/// A pair of schemas, by where they stand in memory: both documents outlive the comparison.
type Pair = (Vec<*const Value>, Vec<*const Value>);

/// What came of a pair.
#[derive(Clone)]
struct Answer {
    breaks: Vec<Break>,
    /// The outermost open pair that it took for granted.
    leans_on: usize,
}

struct Comparison<'a> {
    writer: &'a Value,
    reader: &'a Value,
    /// Pairs that are being compared, outermost first. Met again, such a pair is taken to be read: recursive types.
    open: Vec<Pair>,
    /// What was found, with paths from the pair: a type may stand in several fields.
    known: HashMap<Pair, Vec<Break>>,
    steps: u32,
}

impl<'a> Comparison<'a> {
    fn reads(&mut self, writer: &[&'a Value], reader: &[&'a Value], at: &str) -> Answer {
        let pair = (addresses(writer), addresses(reader));
        if let Some(depth) = self.open.iter().position(|open| *open == pair) {
            return Answer {
                breaks: Vec::new(),
                leans_on: depth,
            };
        }
        if let Some(breaks) = self.known.get(&pair) {
            return Answer::of(breaks.iter().map(|found| found.below(at)).collect());
        }
        if self.open.len() >= DEPTH || self.steps > STEPS {
            return Answer::of(vec![undecided(at, "the schemas are too deep or too large")]);
        }
        let depth = self.open.len();
        self.open.push(pair.clone());
        let mut answer = self.compare(writer, reader, at);
        self.open.pop();
        if answer.breaks.len() > TOLD {
            answer.breaks.truncate(TOLD);
            answer.add(Answer::of(vec![undecided(at, "there are more breaks")]));
        }
        // What leans on an outer pair holds only if that one does.
        if answer.leans_on >= depth {
            answer.leans_on = usize::MAX;
        }
        if answer.leans_on == usize::MAX || !answer.breaks.is_empty() {
            let breaks = answer.breaks.iter().map(|found| found.from(at));
            self.known.insert(pair, breaks.collect());
        }
        answer
    }

    fn compare(&mut self, writer: &[&'a Value], reader: &[&'a Value], at: &str) -> Answer {
        let written = alternatives::all(writer, self.writer, Role::Writer);
        let read = alternatives::all(reader, self.reader, Role::Reader);
        let (Alternatives::Some(written), Alternatives::Some(read)) = (written, read) else {
            return Answer::of(vec![undecided(at, "the schema has too many alternatives")]);
        };
        let mut answer = Answer::of(Vec::new());
        for parts in &written {
            for case in case::all(parts) {
                let of_case = self.read_by_one(&case, &read, at);
                answer.add(of_case);
                if self.steps > STEPS {
                    return answer;
                }
            }
        }
        answer
    }

    /// Whether one of the reader's alternatives takes the case; else what keeps the likeliest one from it.
    fn read_by_one(&mut self, case: &Case<'a>, read: &[Parts<'a>], at: &str) -> Answer {
        let mut best: Option<Answer> = None;
        let fitting = read.iter().filter(|parts| case.may_fit(parts)).count();
        for parts in read {
            let answer = self.read_by(case, parts, at);
            if answer.breaks.is_empty() || self.steps > STEPS {
                return answer;
            }
            // The fewest breaks; of the type itself only if there is nothing else.
            let weight = |answer: &Answer| {
                let wrong_type = answer
                    .breaks
                    .iter()
                    .any(|found| found.rule == Rule::Type && found.at == at);
                (wrong_type, answer.breaks.len())
            };
            if best
                .as_ref()
                .is_none_or(|best| weight(&answer) < weight(best))
            {
                best = Some(answer);
            }
        }
        let mut answer = best.unwrap_or_else(|| {
            Answer::of(vec![Break {
                at: at.to_owned(),
                rule: Rule::Type,
                why: format!("{case} is written, and nothing is read"),
            }])
        });
        let tagged = |found: &Break| {
            matches!(
                found.rule,
                Rule::Required | Rule::EnumValue | Rule::UnknownField
            )
        };
        if fitting > 1 && case.value.is_some() {
            answer.breaks = vec![enum_value(case, at)];
        } else if fitting > 1 && answer.breaks.iter().all(tagged) {
            let why = format!(
                "{case} is written, and none of the reader's {} variants reads it: {}",
                read.len(),
                answer.breaks[0].why
            );
            answer.breaks = vec![Break {
                at: at.to_owned(),
                rule: Rule::Variant,
                why,
            }];
        }
        answer
    }

    fn read_by(&mut self, case: &Case<'a>, read: &Parts<'a>, at: &str) -> Answer {
        let mut answer = Answer::of(Vec::new());
        self.steps += 1;
        if self.steps > STEPS {
            return Answer::of(vec![undecided(at, "the schemas are too large")]);
        }
        for part in read {
            let mut found = Vec::new();
            scalar::check(case, part, at, &mut found);
            answer.add(Answer::of(found));
            if case.kind == case::Kind::Object {
                let of_object = object::check(self, case, part, at);
                answer.add(of_object);
            } else if case.kind == case::Kind::Array {
                let of_array = array::check(self, case, part, at);
                answer.add(of_array);
            }
        }
        answer
    }

    fn is_empty_writer(&self, schemas: &[&'a Value]) -> bool {
        match alternatives::all(schemas, self.writer, Role::Writer) {
            Alternatives::Some(all) => all.iter().all(|parts| case::all(parts).is_empty()),
            Alternatives::TooMany => false,
        }
    }
}

impl Break {
    /// With its path from `at`, above it.
    fn from(&self, at: &str) -> Self {
        let rest = self.at.strip_prefix(at).unwrap_or(&self.at);
        Self {
            at: rest.to_owned(),
            ..self.clone()
        }
    }

    /// The same below `at`.
    fn below(&self, at: &str) -> Self {
        Self {
            at: format!("{at}{}", self.at),
            ..self.clone()
        }
    }
}

impl Answer {
    fn of(breaks: Vec<Break>) -> Self {
        Self {
            breaks,
            leans_on: usize::MAX,
        }
    }

    fn add(&mut self, other: Self) {
        self.leans_on = self.leans_on.min(other.leans_on);
        for found in other.breaks {
            if !self.breaks.contains(&found) {
                self.breaks.push(found);
            }
        }
    }
}

fn addresses(schemas: &[&Value]) -> Vec<*const Value> {
    let mut addresses: Vec<_> = schemas
        .iter()
        .map(|schema| std::ptr::from_ref(*schema))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

fn undecided(at: &str, why: impl Into<String>) -> Break {
    Break {
        at: at.to_owned(),
        rule: Rule::Undecided,
        why: why.into(),
    }
}

fn enum_value(case: &Case<'_>, at: &str) -> Break {
    Break {
        at: at.to_owned(),
        rule: Rule::EnumValue,
        why: format!("{case} is written, which is not among the values that are read"),
    }
}
