//! What is read of a payload is what was written, or the writer gets an error.

use std::collections::{BTreeMap, HashMap};

use events_core::{Codec, Emissions, Event, Json, decode, encode, event, payload};
use fastrand::Rng;
use serde::Serialize;
use serde_json::json;

/// Read and written without code of its own.
#[event(topic = "numbers", key = id)]
struct Measured {
    id: String,
    value: f64,
}

#[event(topic = "numbers", key = id)]
struct Small {
    id: String,
    value: Option<f32>,
}

#[payload]
struct Reading {
    value: f32,
}

#[payload]
enum Form {
    One(f64),
    Named { value: f64 },
    Two(u8, f64),
    Nothing,
}

/// Each field in a form of its own.
#[event(topic = "numbers", key = id)]
struct Series {
    id: String,
    readings: Vec<Reading>,
    places: BTreeMap<String, f64>,
    form: Form,
}

/// Written by what serde derives.
#[event(topic = "numbers")]
struct Derived {
    #[serde(rename = "v")]
    value: Option<f64>,
    #[serde(flatten)]
    reading: Reading,
}

fn series() -> Series {
    Series {
        id: "a".to_owned(),
        readings: vec![Reading { value: 1.0 }, Reading { value: 2.0 }],
        places: BTreeMap::from([("x".to_owned(), 1.0)]),
        form: Form::Nothing,
    }
}

/// Whether it is refused, and the error names the place.
fn refused<E: Event>(event: &E, at: &str) {
    let error = match encode(event) {
        Ok(written) => panic!(
            "{at} was written: {}",
            String::from_utf8_lossy(&written.value)
        ),
        Err(error) => format!("{error:#}"),
    };
    let expected = format!("cannot encode {}: `{at}`: ", E::DESCRIPTOR.name);
    assert!(error.starts_with(&expected), "{error}");
    assert!(error.contains("no form in JSON"), "{error}");
}

#[test]
fn a_number_that_is_not_finite_is_refused_where_it_is_written() {
    let id = || "a".to_owned();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let small = value as f32;
        refused(&Measured { id: id(), value }, "value");
        let absent = Some(small);
        refused(
            &Small {
                id: id(),
                value: absent,
            },
            "value",
        );
        let readings = vec![Reading { value: 1.0 }, Reading { value: small }];
        refused(
            &Series {
                readings,
                ..series()
            },
            "readings[1].value",
        );
        let places = BTreeMap::from([("x".to_owned(), 1.0), ("y".to_owned(), value)]);
        refused(&Series { places, ..series() }, "places.y");
        for (form, at) in [
            (Form::One(value), "form.One"),
            (Form::Named { value }, "form.value"),
            (Form::Two(1, value), "form[1]"),
        ] {
            refused(&Series { form, ..series() }, at);
        }
        let reading = Reading { value: 1.0 };
        let value = Some(value);
        refused(&Derived { value, reading }, "v");
        let reading = Reading { value: small };
        refused(
            &Derived {
                value: None,
                reading,
            },
            "value",
        );
    }
}

#[test]
fn a_refused_emission_leaves_the_others_as_they_are() {
    let measured = |value| Measured {
        id: "a".to_owned(),
        value,
    };
    let mut emissions = Emissions::new();
    emissions.push(&measured(1.5)).unwrap();
    emissions.push(&measured(f64::NAN)).unwrap_err();
    emissions.push(&measured(2.5)).unwrap();
    let values: Vec<_> = emissions.iter().map(|emitted| emitted.value).collect();
    let expected: [&[u8]; 2] = [br#"{"id":"a","value":1.5}"#, br#"{"id":"a","value":2.5}"#];
    assert_eq!(values, expected);
}

#[test]
fn doubles_come_back_bit_by_bit() {
    let mut rng = Rng::with_seed(1);
    let known = [
        117.633_311_394_000_17,
        1.577_777_777_777_000_1,
        0.091_443_385_120_928_87,
        f64::MIN_POSITIVE,
        f64::MAX,
        -0.0,
    ];
    let patterns: Vec<_> = (0..20_000).map(|_| f64::from_bits(rng.u64(..))).collect();
    let ordinary: Vec<_> = (0..20_000).map(|_| rng.f64() * 1_000.0).collect();
    let all = known.into_iter().chain(patterns).chain(ordinary);
    for value in all.filter(|value| value.is_finite()) {
        let id = String::new();
        let written = encode(&Measured { id, value }).unwrap();
        let read = decode::<Measured>(Some(&written.value), 1).unwrap().value;
        assert_eq!(
            read.to_bits(),
            value.to_bits(),
            "{value} came back as {read}"
        );
    }
}

fn written(value: &impl Serialize) -> String {
    let mut into = b"before ".to_vec();
    Json::encode(value, &mut into).unwrap();
    String::from_utf8(into).unwrap()
}

/// Everything but numbers that are not finite has the form that `serde_json` gives it.
#[test]
fn every_form_is_written_as_serde_json_writes_it() {
    #[derive(Serialize)]
    struct Unit;
    #[derive(Serialize)]
    struct Newtype(u128);
    #[derive(Serialize)]
    struct Tuple(i128, char);
    #[derive(Serialize)]
    struct Empty {}
    #[derive(Serialize, PartialEq, Eq, Hash, PartialOrd, Ord)]
    enum Key {
        Plain,
    }
    #[derive(Serialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        Named { text: &'static str },
    }
    #[derive(Serialize)]
    struct Flattened {
        #[serde(flatten)]
        rest: BTreeMap<u32, Option<bool>>,
        raw: Box<serde_json::value::RawValue>,
    }

    macro_rules! same {
        ($($value:expr),* $(,)?) => {$(
            let value = $value;
            let expected = format!("before {}", serde_json::to_string(&value).unwrap());
            assert_eq!(written(&value), expected);
        )*};
    }
    same! {
        Unit, Newtype(u128::MAX), Tuple(i128::MIN, '"'), Empty {}, (), (1_u8, "é\u{1}\n\\"), [0_i8; 0],
        Vec::<u8>::new(), vec![vec![1_u16], vec![]], Some(Some(1.0_f32)), None::<u8>, 1e300, 0.1_f32, u64::MAX,
        BTreeMap::<u8, u8>::new(), BTreeMap::from([(Key::Plain, 1)]), BTreeMap::from([(true, 1), (false, 2)]),
        BTreeMap::from([('x', BTreeMap::from([(-1_i64, "a"), (2, "b")]))]), HashMap::from([("a\"b", [1.5])]),
        Tagged::Named { text: "a" }, Form::One(1.0), Form::Named { value: 1.0 }, Form::Two(1, 2.0), Form::Nothing,
        Flattened {
            rest: BTreeMap::from([(1, None), (2, Some(true))]),
            raw: serde_json::value::RawValue::from_string("{ \"n\": 1.10 }".to_owned()).unwrap(),
        },
        json!({ "list": [1, -1, 1.5, null, true, "text", {}, []], "": {} }),
        std::net::Ipv4Addr::LOCALHOST, serde_bytes(b"ab"),
    }
}

/// A type that is written as bytes.
fn serde_bytes(bytes: &'static [u8]) -> impl Serialize {
    struct Bytes(&'static [u8]);
    impl Serialize for Bytes {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }
    Bytes(bytes)
}

#[test]
fn a_key_that_is_no_text_is_refused_with_its_place() {
    let pairs = BTreeMap::from([("outer", BTreeMap::from([((1, 2), 3)]))]);
    let error = Json::encode(&pairs, &mut Vec::new()).unwrap_err();
    assert_eq!(format!("{error:#}"), "`outer`: key must be a string");
}
