use events_core::event;

#[event(topic = "or ders", key = nr, version = 0, retention = "7d")]
#[serde(deny_unknown_fields)]
struct Placed {
    id: String,
    #[event(since = 4)]
    note: String,
}

fn main() {}
