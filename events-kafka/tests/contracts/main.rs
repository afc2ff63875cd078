//! A crate that depends on this one alone keeps its contracts by `events_kafka::contracts_test!()`.

use events_kafka::event;

/// A parcel has left. Only a full schema shows what `Carrier` is.
#[event(
    topic = "kept-parcels",
    name = "kept/ParcelLeft",
    lock = "kept%2FParcelLeft.json"
)]
struct ParcelLeft {
    parcel: String,
    carrier: Carrier,
}

/// As it was released.
type Carrier = String;

mod kept {
    events_kafka::contracts_test!();
}
