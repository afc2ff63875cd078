use events_core::{event, payload};

#[event(topic = "orders")]
struct Placed {
    id: String,
    #[serde(rename = "text", skip_serializing_if = "String::is_empty")]
    note: String,
    #[serde(skip_serializing)]
    secret: String,
    #[serde(skip_serializing_if = "Option::is_none", with = "own")]
    #[schemars(with = "u32")]
    due: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coupon: Option<String>,
    #[event(default)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<Item>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    channel: String,
    #[serde(skip)]
    seen: bool,
}

#[payload]
struct Item {
    #[serde(skip_serializing_if = "String::is_empty")]
    sku: String,
}

#[payload]
enum Way {
    Post {
        #[serde(skip_serializing_if = "String::is_empty")]
        to: String,
    },
}

#[payload]
#[serde(default)]
#[derive(Default)]
struct Parcel {
    #[serde(skip_serializing_if = "String::is_empty")]
    sku: String,
}

mod own {
    pub fn serialize<S: serde::Serializer>(due: &Option<u32>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u32(due.unwrap_or_default())
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u32>, D::Error> {
        serde::Deserialize::deserialize(from).map(Some)
    }
}

fn main() {}
