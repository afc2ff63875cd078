//! What `anyOf`, `oneOf`, `allOf` and `$ref` amount to: alternatives, each of schemas that hold at once.

use serde_json::{Map, Value};

use super::Parts;

/// More than so many are not looked at.
const MOST: usize = 1_000;

/// The keyword under which an enum with a catch-all says what else it reads.
const OTHER: &str = "x-other";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    Reader,
}

pub(super) enum Alternatives<'a> {
    Some(Vec<Parts<'a>>),
    TooMany,
}

/// The alternatives of schemas that hold at once. None at all if nothing fits them.
pub(super) fn all<'a>(schemas: &[&'a Value], root: &'a Value, role: Role) -> Alternatives<'a> {
    let mut expansion = Expansion {
        root,
        role,
        open: Vec::new(),
    };
    let mut all = vec![Vec::new()];
    for schema in schemas {
        let product = expansion.of(schema).and_then(|of| product(&all, &of));
        match product {
            Some(product) => all = product,
            None => return Alternatives::TooMany,
        }
    }
    Alternatives::Some(all)
}

struct Expansion<'a> {
    root: &'a Value,
    role: Role,
    /// References that are being followed.
    open: Vec<&'a str>,
}

impl<'a> Expansion<'a> {
    /// `None` if there are too many.
    fn of(&mut self, schema: &'a Value) -> Option<Vec<Parts<'a>>> {
        match schema {
            Value::Object(map) => self.of_map(map),
            Value::Bool(false) => Some(Vec::new()),
            // `true`, and what is no schema.
            _ => Some(vec![Vec::new()]),
        }
    }

    fn of_map(&mut self, map: &'a Map<String, Value>) -> Option<Vec<Parts<'a>>> {
        let mut all = vec![vec![map]];
        if let Some(Value::String(reference)) = map.get("$ref") {
            // What refers to itself and nothing else can neither be written nor read.
            if self.open.contains(&reference.as_str()) {
                return Some(Vec::new());
            }
            // A reference to another document fits nothing here.
            let target = reference
                .strip_prefix('#')
                .and_then(|pointer| self.root.pointer(pointer));
            let target = target?;
            self.open.push(reference);
            let of = self.of(target);
            self.open.pop();
            all = product(&all, &of?)?;
        }
        for part in schemas(map, "allOf") {
            all = product(&all, &self.of(part)?)?;
        }
        for keyword in ["anyOf", "oneOf"] {
            if map.contains_key(keyword) {
                let mut one = Vec::new();
                for part in schemas(map, keyword) {
                    one.extend(self.of(part)?);
                }
                all = product(&all, &one)?;
            }
        }
        if let Some(other) = map.get(OTHER)
            && self.role == Role::Reader
        {
            all.extend(self.of(other)?);
        }
        (all.len() <= MOST).then_some(all)
    }
}

fn schemas<'a>(map: &'a Map<String, Value>, keyword: &str) -> impl Iterator<Item = &'a Value> {
    map.get(keyword)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn product<'a>(left: &[Parts<'a>], right: &[Parts<'a>]) -> Option<Vec<Parts<'a>>> {
    if left.len().saturating_mul(right.len()) > MOST {
        return None;
    }
    let mut all = Vec::with_capacity(left.len() * right.len());
    for one in left {
        for other in right {
            let mut both = one.clone();
            for part in other {
                if !both.iter().any(|known| std::ptr::eq(*known, *part)) {
                    both.push(part);
                }
            }
            all.push(both);
        }
    }
    Some(all)
}
