use events_core::{event, payload};

#[event(topic = "t", key = id)]
#[serde_as]
pub struct Placed {
    pub id: String,
    #[serde_as(as = "DisplayFromStr")]
    pub number: u64,
}

#[payload]
#[serde_with::skip_serializing_none]
pub struct Part {
    pub note: Option<String>,
}

fn main() {}
