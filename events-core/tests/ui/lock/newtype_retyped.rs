//! What a newtype holds is the whole payload.
use events_core::event;

mod other_type {
    use super::event;

    #[event(topic = "counts", version = 2, lock = "contracts/Counted.json")]
    pub struct Counted(pub String);
}

mod fields {
    use super::event;

    #[event(topic = "counts", version = 2, lock = "contracts/Counted.json")]
    pub struct Counted {
        pub count: u64,
    }
}

mod no_fields {
    use super::event;

    #[event(topic = "orders", version = 2, lock = "contracts/OrderPlaced.json")]
    pub struct OrderPlaced(pub Vec<u8>);

    #[event(topic = "rings", version = 2, lock = "contracts/Rung.json")]
    pub struct Rung(pub u64);
}

fn main() {}
