//! `#[event(other)]`: enums that read the variants of later versions.

use events_core::contract::{Breach, Contract, Rule, Version, reads};
use events_core::{Event, event, payload};
use serde_json::{Value, json};

/// As a build knows it.
#[payload]
#[derive(Debug, Clone, Default, PartialEq)]
enum Colour {
    #[default]
    Red,
    #[serde(rename = "light green", alias = "lime")]
    Green,
    Grey(u8),
    Pair(u8, u8),
    Mixed {
        red: u8,
        #[serde(default)]
        blue: Option<u8>,
    },
    #[event(other)]
    Unknown,
}

#[event(topic = "paints", key = id)]
#[derive(Debug, PartialEq)]
struct Painted {
    id: u32,
    colour: Colour,
    further: Vec<Colour>,
}

#[payload]
#[derive(Debug, PartialEq)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Shape {
    Circle {
        radius: u32,
    },
    Point,
    #[event(other)]
    AnotherOne,
}

#[event(topic = "shapes")]
#[derive(Debug, PartialEq)]
struct Drawn {
    shape: Shape,
}

/// As a later build writes them.
mod later {
    use events_core::{event, payload};

    #[payload]
    pub(super) enum Colour {
        Red,
        #[serde(rename = "light green")]
        Green,
        Grey(u8),
        Pair(u8, u8),
        Mixed {
            red: u8,
            blue: Option<u8>,
        },
        Striped(Vec<Colour>),
        Shade {
            of: Box<Colour>,
        },
        Gold,
        #[event(other)]
        Unknown,
    }

    #[event(topic = "paints", key = id, version = 2, name = "later.Painted")]
    pub(super) struct Painted {
        pub(super) id: u32,
        pub(super) colour: Colour,
        pub(super) further: Vec<Colour>,
    }

    #[payload]
    #[serde(tag = "kind", rename_all = "snake_case")]
    pub(super) enum Shape {
        Circle {
            radius: u32,
        },
        Square {
            side: Vec<u32>,
        },
        Point,
        #[event(other)]
        AnotherOne,
    }

    #[event(topic = "shapes", version = 2, name = "later.Drawn")]
    pub(super) struct Drawn {
        pub(super) shape: Shape,
    }

    /// The same change without a catch-all before.
    #[payload]
    pub(super) enum Closed {
        Red,
        Grey(u8),
        Mixed { red: u8 },
    }

    #[event(topic = "paints", name = "Closed")]
    pub(super) struct WasClosed {
        pub(super) colour: Closed,
    }

    #[payload]
    pub(super) enum Opened {
        Red,
        Mixed {
            red: u8,
        },
        Striped(Vec<u8>),
        #[event(other)]
        Unknown,
    }

    #[event(topic = "paints", version = 2, name = "Opened")]
    pub(super) struct IsOpen {
        pub(super) colour: Opened,
    }
}

fn colour(value: &Value) -> Result<Colour, String> {
    serde_json::from_str(&value.to_string()).map_err(|error| error.to_string())
}

#[test]
fn known_variants_are_read_as_ever() {
    for (value, known) in [
        (json!("Red"), Colour::Red),
        (json!({ "Red": null }), Colour::Red),
        (json!("light green"), Colour::Green),
        (json!("lime"), Colour::Green),
        (json!({ "Grey": 7 }), Colour::Grey(7)),
        (json!({ "Pair": [1, 2] }), Colour::Pair(1, 2)),
        (
            json!({ "Mixed": { "red": 1, "of a later version": {} } }),
            Colour::Mixed { red: 1, blue: None },
        ),
        (json!("Unknown"), Colour::Unknown),
    ] {
        assert_eq!(colour(&value).as_ref(), Ok(&known), "{value}");
        // From a value that was read before, as upcasters do.
        let again: Colour = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(again, known, "{value}");
    }
    let written = serde_json::to_value([Colour::Green, Colour::Grey(1), Colour::Unknown]).unwrap();
    assert_eq!(written, json!(["light green", { "Grey": 1 }, "Unknown"]));
}

#[test]
fn what_a_known_variant_cannot_hold_stays_an_error() {
    for (wrong, told) in [
        (json!({ "Grey": "dark" }), "expected u8"),
        (json!({ "Mixed": { "blue": 1 } }), "missing field `red`"),
        (json!({ "Pair": [1] }), "invalid length 1"),
        (json!({ "Red": { "x": 1 } }), "expected unit"),
        (json!("Grey"), "unit variant, expected newtype variant"),
        (json!("Pair"), "unit variant, expected tuple variant"),
        (json!("Mixed"), "unit variant, expected struct variant"),
        (json!({}), "a variant of Colour"),
        (json!({ "Gold": 1, "Silver": 2 }), "a variant of Colour"),
        (json!({ "Red": null, "Silver": 2 }), "a variant of Colour"),
        (json!(7), "a variant of Colour"),
        (json!(null), "a variant of Colour"),
    ] {
        let error = colour(&wrong).unwrap_err();
        assert!(error.contains(told), "{wrong}: {error}");
    }
    for broken in [r#"{"Gold": tru}}"#, r#"{"Gold": 1"#, r#"{"Gold"}"#] {
        assert!(serde_json::from_str::<Colour>(broken).is_err(), "{broken}");
    }
}

#[test]
fn an_old_build_reads_the_variants_of_a_later_one() {
    let record = later::Painted {
        id: 1,
        colour: later::Colour::Shade {
            of: Box::new(later::Colour::Mixed { red: 1, blue: None }),
        },
        further: vec![
            later::Colour::Striped(vec![later::Colour::Red, later::Colour::Gold]),
            later::Colour::Grey(9),
            later::Colour::Gold,
            later::Colour::Pair(1, 2),
            later::Colour::Green,
            later::Colour::Unknown,
        ],
    };
    let encoded = events_core::encode(&record).unwrap();
    let read: Painted = events_core::decode(Some(&encoded.value), 2).unwrap();
    assert_eq!(
        read,
        Painted {
            id: 1,
            colour: Colour::Unknown,
            further: vec![
                Colour::Unknown,
                Colour::Grey(9),
                Colour::Unknown,
                Colour::Pair(1, 2),
                Colour::Green,
                Colour::Unknown,
            ],
        }
    );

    for (shape, expected) in [
        (later::Shape::Square { side: vec![1] }, Shape::AnotherOne),
        (
            later::Shape::Circle { radius: 2 },
            Shape::Circle { radius: 2 },
        ),
        (later::Shape::Point, Shape::Point),
        (later::Shape::AnotherOne, Shape::AnotherOne),
    ] {
        let encoded = events_core::encode(&later::Drawn { shape }).unwrap();
        let read: Drawn = events_core::decode(Some(&encoded.value), 2).unwrap();
        assert_eq!(read.shape, expected);
    }
}

fn schema<E: Event>() -> Value {
    (E::DESCRIPTOR.schema)()
}

/// What a lock that released `Before` says of a build that writes `After`.
fn breaches<Before: Event, After: Event>() -> Vec<Breach> {
    let mut lock = Contract::new(Before::DESCRIPTOR.name);
    lock.draft(Version::of(Before::DESCRIPTOR));
    assert!(lock.release());
    lock.breaches(&Version::of(After::DESCRIPTOR))
}

#[test]
fn a_new_variant_is_compatible_where_there_was_a_catch_all_and_only_there() {
    assert_eq!(breaches::<Painted, later::Painted>(), []);
    assert_eq!(breaches::<Drawn, later::Drawn>(), []);
    let broken = breaches::<later::WasClosed, later::IsOpen>();
    let rules: Vec<_> = broken.iter().map(|breach| breach.found.rule).collect();
    assert_eq!(rules, [Rule::EnumValue, Rule::Variant], "{broken:?}");
    assert!(broken.iter().all(|breach| breach.reader == 1), "{broken:?}");
}

#[test]
fn what_a_catch_all_cannot_read_is_told_by_the_schemas_too() {
    let before = schema::<Painted>();
    let mut after = schema::<later::Painted>();
    // The catch-all reads no other data of a variant that is known.
    let variants = after["$defs"]["Colour"]["oneOf"].as_array_mut().unwrap();
    let grey = variants
        .iter_mut()
        .find_map(|variant| variant.pointer_mut("/properties/Grey"))
        .expect("a variant with data");
    *grey = json!({ "type": "string" });
    let broken = reads(&after, &before);
    assert!(!broken.is_empty());
}

#[test]
fn the_schema_says_what_else_is_read() {
    let painted = schema::<Painted>();
    let other = &painted["$defs"]["Colour"]["x-other"];
    let validator = jsonschema::validator_for(other).unwrap();
    for (value, read) in [
        (json!("Gold"), true),
        (json!({ "Gold": [1] }), true),
        (json!("Red"), false),
        (json!("light green"), false),
        (json!({ "Grey": "dark" }), false),
        (json!({ "Gold": 1, "Silver": 2 }), false),
        (json!({}), false),
        (json!(7), false),
    ] {
        assert_eq!(validator.is_valid(&value), read, "{value}");
    }
    let drawn = schema::<Drawn>();
    assert_eq!(
        drawn["$defs"]["Shape"]["x-other"]["properties"]["kind"]["not"]["enum"],
        json!(["circle", "point", "another_one"])
    );
}
