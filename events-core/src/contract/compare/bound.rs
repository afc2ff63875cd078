//! The range of a number.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::case::{Case, Kind};

/// The end of a range. Whole numbers are exact.
#[derive(Debug, Clone, Copy)]
pub(super) enum Point {
    Whole(i128),
    Other(f64),
}

/// An end, and whether it lies outside itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) point: Point,
    pub(super) excluded: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Low,
    High,
}

impl Point {
    pub(super) fn of(number: &Number) -> Self {
        match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => Self::Whole(whole.into()),
            (_, Some(whole), _) => Self::Whole(whole.into()),
            (.., Some(other)) if other.fract() == 0.0 && other.abs() < 1e30 => {
                Self::Whole(other as i128)
            }
            (.., other) => Self::Other(other.unwrap_or(f64::NAN)),
        }
    }

    fn as_f64(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Other(other) => other,
        }
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Whole(left), Self::Whole(right)) => left.cmp(&right),
            _ => self.as_f64().total_cmp(&other.as_f64()),
        }
    }
}

impl End {
    /// Whether everything inside this end of a writer's range is inside `reader`.
    pub(super) fn within(self, reader: Self, side: Side) -> bool {
        let order = match side {
            Side::Low => self.point.compare(reader.point),
            Side::High => reader.point.compare(self.point),
        };
        order.is_gt() || (order.is_eq() && (self.excluded || !reader.excluded))
    }

    fn tighter(self, other: Self, side: Side) -> Self {
        if self.within(other, side) {
            self
        } else {
            other
        }
    }
}

/// The end of the numbers that a case may be, if it has one.
pub(super) fn written(case: &Case<'_>, side: Side) -> Option<End> {
    if let Some(Value::Number(number)) = &case.value {
        return Some(End {
            point: Point::of(number),
            excluded: false,
        });
    }
    let ends = case.parts.iter().filter_map(|part| of(part, side));
    let end = ends.reduce(|one, other| one.tighter(other, side))?;
    // Whole numbers between 0 and 10, both excluded, are those from 1 to 9.
    let whole = match (case.kind, end.point, side) {
        (Kind::Integer, Point::Whole(at), Side::Low) if end.excluded => Some(at + 1),
        (Kind::Integer, Point::Whole(at), Side::High) if end.excluded => Some(at - 1),
        (Kind::Integer, Point::Other(at), Side::Low) => Some(at.ceil() as i128),
        (Kind::Integer, Point::Other(at), Side::High) => Some(at.floor() as i128),
        _ => None,
    };
    Some(whole.map_or(end, |at| End {
        point: Point::Whole(at),
        excluded: false,
    }))
}

/// The end that one schema sets: by its own keywords, or by the format of a Rust integer.
pub(super) fn of(part: &Map<String, Value>, side: Side) -> Option<End> {
    let (plain, excluding) = match side {
        Side::Low => ("minimum", "exclusiveMinimum"),
        Side::High => ("maximum", "exclusiveMaximum"),
    };
    let end = |keyword: &str, excluded| {
        let number = part.get(keyword)?.as_number()?;
        Some(End {
            point: Point::of(number),
            excluded,
        })
    };
    let format = integer(part).map(|(low, high)| End {
        point: Point::Whole(if side == Side::Low { low } else { high }),
        excluded: false,
    });
    let ends = [end(plain, false), end(excluding, true), format];
    ends.into_iter()
        .flatten()
        .reduce(|one, other| one.tighter(other, side))
}

/// The range of the integer type that `format` names.
pub(super) fn integer(part: &Map<String, Value>) -> Option<(i128, i128)> {
    let range = match part.get("format")?.as_str()? {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" | "int" => (i64::MIN.into(), i64::MAX.into()),
        "uint8" => (0, u8::MAX.into()),
        "uint16" => (0, u16::MAX.into()),
        "uint32" => (0, u32::MAX.into()),
        "uint64" | "uint" => (0, u64::MAX.into()),
        _ => return None,
    };
    Some(range)
}
