//! Events of few keys, of which each key's order can be told.

use std::borrow::Cow;

use events_core::{KeyPart, event, payload};

/// Different keys, in turn.
pub(crate) const KEYS: u64 = 1_000;
/// The key whose records fail, where one does.
const POISONED: u64 = 0;

/// A parcel of a customer.
#[payload]
pub(crate) struct Parcel {
    pub(crate) customer: String,
    /// Its place among all; those of one key differ by [`KEYS`].
    pub(crate) number: u64,
    /// Nanoseconds on the run's own clock.
    pub(crate) sent_ns: u64,
    /// Which run it belongs to.
    pub(crate) run: String,
    pub(crate) remark: String,
}

impl KeyPart for Parcel {
    fn key_part(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.customer)
    }
}

/// A parcel on a topic that is filled before the run.
#[event(topic = "bench-parcels", key = 0)]
pub(crate) struct ParcelSent(pub(crate) Parcel);

/// A parcel that is published while the run goes on.
#[event(topic = "bench-live-parcels", key = 0)]
pub(crate) struct ParcelMoved(pub(crate) Parcel);

impl Parcel {
    pub(crate) fn numbered(number: u64) -> Self {
        Self {
            customer: format!("customer-{:09}", key_of(number)),
            number,
            sent_ns: 0,
            run: String::new(),
            remark: "so that the payload has about two hundred bytes, as the payloads of all the other measurements here have".to_owned(),
        }
    }
}

/// The key of a parcel, below [`KEYS`].
pub(crate) fn key_of(number: u64) -> u64 {
    number % KEYS
}

/// Whether the parcel's key is the one that fails.
pub(crate) fn is_poisoned(number: u64) -> bool {
    key_of(number) == POISONED
}

/// How many of the first `records` parcels are of other keys, and the sum of their numbers.
pub(crate) fn others(records: u64) -> (u64, u64) {
    let poisoned = (POISONED..records).step_by(KEYS as usize);
    let (count, sum) = poisoned.fold((0, 0), |(count, sum), number| (count + 1, sum + number));
    (records - count, total(records) - sum)
}

/// The sum of the first `records` numbers.
pub(crate) fn total(records: u64) -> u64 {
    (0..records).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_in_a_thousand_is_poisoned() {
        let numbers = || (0..2_500).filter(|number| !is_poisoned(*number));
        assert_eq!(others(2_500), (numbers().count() as u64, numbers().sum()));
        assert_eq!(others(2_500).0, 2_497);
    }

    #[test]
    fn a_parcel_has_about_200_bytes() {
        let encoded = events_core::encode(&ParcelSent(Parcel::numbered(123_456))).unwrap();
        let bytes = encoded.value.len();
        assert!((180..=220).contains(&bytes), "{bytes}");
        assert_eq!(encoded.key.as_deref(), Some("customer-000000456"));
    }
}
