use events_core::{event, payload, upcast};

#[event(topic = "orders", version = 3)]
struct Placed {
    id: String,
}

#[payload]
struct PlacedV1 {
    id: String,
}

#[upcast(from = 1)]
async fn waits(old: PlacedV1) -> Placed {
    Placed { id: old.id }
}

#[upcast(from = 1)]
fn takes_two(old: PlacedV1, more: u8) -> Placed {
    Placed { id: old.id }
}

#[upcast(from = 1)]
fn borrows(old: &PlacedV1) -> Placed {
    Placed { id: old.id.clone() }
}

#[upcast(from = 1)]
fn takes_nothing() -> Placed {
    Placed { id: String::new() }
}

#[upcast(from = 1)]
fn returns_nothing(old: PlacedV1) {}

#[upcast]
fn says_nothing(old: PlacedV1) -> Placed {
    Placed { id: old.id }
}

#[upcast(from = 0)]
fn of_no_version(old: PlacedV1) -> Placed {
    Placed { id: old.id }
}

#[upcast(from = 2, to = 2)]
fn leads_nowhere(old: PlacedV1) -> Placed {
    Placed { id: old.id }
}

#[upcast(form = 1)]
fn misspelt(old: PlacedV1) -> Placed {
    Placed { id: old.id }
}

impl PlacedV1 {
    #[upcast(from = 1)]
    fn method(self) -> Placed {
        Placed { id: self.id }
    }
}

#[upcast(from = 1)]
struct NoFunction;

fn main() {}
