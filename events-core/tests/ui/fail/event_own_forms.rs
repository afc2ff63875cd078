use events_core::{event, payload};

mod cents {
    pub fn serialize<S: serde::Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }
    pub fn deserialize<'de, D: serde::Deserializer<'de>>(_: D) -> Result<u64, D::Error> {
        Ok(0)
    }
}

#[event(topic = "t", key = id)]
pub struct WithModule {
    pub id: String,
    #[serde(with = "cents")]
    pub price: u64,
}

#[event(topic = "t")]
pub struct Newtype(#[serde(serialize_with = "cents::serialize", deserialize_with = "cents::deserialize")] pub u64);

#[payload]
pub struct Part {
    #[serde(serialize_with = "cents::serialize", deserialize_with = "cents::deserialize")]
    pub price: u64,
}

#[payload]
pub enum Price {
    Free,
    Some(#[serde(with = "cents")] u64),
}

fn main() {}
