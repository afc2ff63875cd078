//! The type of what functions of its own write or read says nothing, and nor does an alias in a newtype.
use events_core::event;

type Count = u64;

#[event(topic = "counts", version = 2, lock = "../contracts/Counted.json")]
pub struct Counted(pub Count);

#[event(topic = "prices", version = 2, lock = "../contracts/Priced.json")]
pub struct Priced {
    #[serde(with = "number")]
    #[schemars(with = "u64")]
    pub cents: String,
    pub vat: String,
}

mod number {
    use serde::{Deserialize, Deserializer, Serializer, de, ser};

    pub fn serialize<S: Serializer>(cents: &str, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(cents.parse().map_err(ser::Error::custom)?)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
        let cents = u64::deserialize(from).map_err(de::Error::custom)?;
        Ok(cents.to_string())
    }
}

fn main() {
    use events_core::Event;

    let types = |event: &events_core::EventDescriptor| -> Vec<_> {
        let fields = event.fields.iter();
        fields.map(|field| (field.name, field.ty)).collect()
    };
    assert_eq!(types(Counted::DESCRIPTOR), [("", "Count")]);
    assert_eq!(
        types(Priced::DESCRIPTOR),
        [("cents", "String with number"), ("vat", "String")]
    );
    let encoded = (Priced::DESCRIPTOR.encode_json)(r#"{"cents":5,"vat":"1"}"#).unwrap();
    assert_eq!(encoded.value, br#"{"cents":5,"vat":"1"}"#);
}
