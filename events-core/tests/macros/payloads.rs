//! How events are written and read: as serde's own derive would do it.

use std::collections::BTreeMap;

use events_core::__private::{schemars, serde};
use events_core::{Event, event, payload};
use serde_json::{Value, json};

fn seven() -> u32 {
    7
}

#[payload]
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Colour {
    Red,
    Mixed { parts: Vec<Part> },
}

#[payload]
#[derive(Debug, Clone, PartialEq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Part {
    pub(crate) parts_per_mille: u16,
}

/// Everything
/// that a field can be.
#[event(topic = "t", version = 2)]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Light {
    /// What it is called.
    ///
    /// More.
    pub(crate) name: String,
    pub(crate) count: u32,
    pub(crate) colour: Colour,
    pub(crate) map: BTreeMap<String, i64>,
    pub(crate) note: Option<String>,
    #[event(since = 2)]
    pub(crate) coupon: Option<u32>,
    #[event(since = 2, default)]
    pub(crate) tags: Vec<String>,
    #[event(default = seven)]
    pub(crate) weight: u32,
}

/// Everything
/// that a field can be.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub(crate) struct Derived {
    /// What it is called.
    pub(crate) name: String,
    pub(crate) count: u32,
    pub(crate) colour: Colour,
    pub(crate) map: BTreeMap<String, i64>,
    pub(crate) note: Option<String>,
    #[serde(default)]
    pub(crate) coupon: Option<u32>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default = "seven")]
    pub(crate) weight: u32,
}

/// The same with an attribute of serde's, so that its derive is used.
#[event(topic = "t", version = 2)]
#[serde(rename_all = "snake_case")]
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heavy {
    pub(crate) name: String,
    #[event(since = 2, default)]
    pub(crate) tags: Vec<String>,
    #[event(since = 2, default = seven)]
    pub(crate) weight: u32,
    #[event(since = 2)]
    pub(crate) coupon: Option<u32>,
}

fn whole() -> Value {
    json!({
        "name": "a", "count": 3, "colour": {"Mixed": {"parts": [{"partsPerMille": 500}]}}, "map": {"x": -1},
        "note": "n", "coupon": 5, "tags": ["t"], "weight": 9,
    })
}

/// The whole payload with one change each, in what may go well and what may not.
fn inputs() -> Vec<String> {
    let mut inputs = vec![
        "null".to_owned(),
        "7".to_owned(),
        "{".to_owned(),
        whole().to_string(),
    ];
    for name in [
        "name", "count", "colour", "map", "note", "coupon", "tags", "weight",
    ] {
        let mut without = whole();
        without.as_object_mut().unwrap().remove(name);
        inputs.push(without.to_string());
        for value in [json!(null), json!("text"), json!(-1), json!([]), json!({})] {
            let mut other = whole();
            other[name] = value;
            inputs.push(other.to_string());
        }
        // A field that comes twice.
        inputs.push(whole().to_string().replacen(
            '{',
            &format!("{{\"{name}\":{},", whole()[name]),
            1,
        ));
    }
    let mut more = whole();
    more["of a later version"] = json!({"deep": [1, 2]});
    inputs.push(more.to_string());
    inputs
}

#[test]
fn plain_events_read_what_serde_would_read() {
    let mut read = 0;
    for input in inputs() {
        let light = serde_json::from_str::<Light>(&input).map_err(|error| error.to_string());
        let derived = serde_json::from_str::<Derived>(&input).map_err(|error| error.to_string());
        match (&light, &derived) {
            (Ok(light), Ok(derived)) => {
                read += 1;
                assert_eq!(
                    serde_json::to_string(light).unwrap(),
                    serde_json::to_string(derived).unwrap()
                );
            }
            _ => assert_eq!(
                light
                    .as_ref()
                    .map(|_| ())
                    .map_err(|error| error.replace("struct Light", "struct Derived")),
                derived.as_ref().map(|_| ()).map_err(Clone::clone),
                "{input}"
            ),
        }
    }
    assert!(read > 10, "{read}");
}

#[test]
fn an_array_is_no_event() {
    // Serde's derive would take it, but the schema does not.
    let error = serde_json::from_str::<Light>(r#"["a",3,"Red",{},"n",5,["t"],9]"#).unwrap_err();
    assert!(
        error.to_string().contains("expected struct Light"),
        "{error}"
    );
}

#[test]
fn plain_events_have_the_schema_that_schemars_would_derive() {
    let mut light = (Light::DESCRIPTOR.schema)();
    let mut derived = schemars::schema_for!(Derived).to_value();
    assert_eq!(
        light["properties"]["name"]["description"],
        "What it is called."
    );
    assert_eq!(light["description"], "Everything that a field can be.");
    assert_eq!(light["title"], "Light");
    for schema in [&mut light, &mut derived] {
        schema["title"] = json!("same");
        schema["description"] = json!("same");
        for property in schema["properties"].as_object_mut().unwrap().values_mut() {
            // Derived, a default stands in the schema.
            property.as_object_mut().unwrap().remove("default");
        }
    }
    assert_eq!(light, derived);
}

#[test]
fn earlier_versions_get_defaults() {
    let earlier = br#"{"name":"a"}"#;
    let expected = Heavy {
        name: "a".to_owned(),
        tags: Vec::new(),
        weight: 7,
        coupon: None,
    };
    assert_eq!(
        events_core::decode::<Heavy>(Some(earlier), 1).unwrap(),
        expected
    );
    assert!(events_core::decode::<Heavy>(Some(b"{}"), 1).is_err());

    let earlier = br#"{"name":"a","count":1,"colour":"Red","map":{}}"#;
    let light = events_core::decode::<Light>(Some(earlier), 1).unwrap();
    assert_eq!((light.coupon, light.tags.len(), light.weight), (None, 0, 7));
}

#[test]
fn encoded_events_are_read_back() {
    let light: Light = serde_json::from_value(whole()).unwrap();
    let encoded = events_core::encode(&light).unwrap();
    assert_eq!(
        events_core::decode::<Light>(Some(&encoded.value), 2).unwrap(),
        light
    );
    assert_eq!(
        serde_json::from_slice::<Value>(&encoded.value).unwrap(),
        whole()
    );
}

mod cents {
    use events_core::__private::serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        cents: &Option<u64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&cents.unwrap_or_default().to_string())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<u64>, D::Error> {
        Ok(String::deserialize(deserializer)?.parse().ok())
    }
}

#[derive(Debug)]
#[event(topic = "t", version = 2)]
struct Priced {
    id: u8,
    #[event(since = 2)]
    #[serde(with = "cents")]
    #[schemars(with = "String")]
    amount: Option<u64>,
}

#[test]
fn a_later_option_may_be_missing_whatever_reads_it() {
    let earlier = events_core::decode::<Priced>(Some(br#"{"id":1}"#), 1).unwrap();
    assert_eq!((earlier.id, earlier.amount), (1, None));
    let later = events_core::decode::<Priced>(Some(br#"{"id":1,"amount":"7"}"#), 2).unwrap();
    assert_eq!(later.amount, Some(7));
    assert_eq!((Priced::DESCRIPTOR.schema)()["required"], json!(["id"]));
}
