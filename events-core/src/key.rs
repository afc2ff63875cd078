//! How fields become record keys.

use std::borrow::Cow;
use std::num::{NonZeroI32, NonZeroI64, NonZeroU32, NonZeroU64};
use std::sync::Arc;

use uuid::Uuid;

/// A field that can be the key of an event, or part of it.
///
/// Implemented for text, whole numbers, `bool`, `char` and `Uuid`. Implement it for id types of your own.
///
/// # Delivery
///
/// The text decides what is in order (D2): equal values must give equal texts, different ones different texts, in
/// every build. A number that has more than one text, such as a float, is no key; nor is an `Option`, since without a
/// key there is no order.
///
/// # Examples
///
/// ```
/// use std::borrow::Cow;
/// use events_core::{event, payload, KeyPart};
///
/// #[payload]
/// pub struct OrderId(String);
///
/// impl KeyPart for OrderId {
///     fn key_part(&self) -> Cow<'_, str> { self.0.key_part() }
/// }
///
/// #[event(topic = "orders", key = (tenant, order_id))]
/// pub struct OrderPlaced { pub tenant: u32, pub order_id: OrderId }
///
/// use events_core::Event;
/// let order = OrderPlaced { tenant: 7, order_id: OrderId("a/b".to_owned()) };
/// assert_eq!(order.key().as_deref(), Some("7/a%2Fb"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of an event",
    label = "neither text nor a whole number",
    note = "a key is a `String`, a whole number, a `bool`, a `char`, a `Uuid`, or a type of yours that implements `events_core::KeyPart`"
)]
pub trait KeyPart {
    /// The field as text.
    fn key_part(&self) -> Cow<'_, str>;
}

impl KeyPart for str {
    fn key_part(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

macro_rules! borrowed {
    ($($text:ty),*) => {$(
        impl KeyPart for $text {
            fn key_part(&self) -> Cow<'_, str> {
                Cow::Borrowed(self)
            }
        }
    )*};
}

macro_rules! displayed {
    ($($shown:ty),*) => {$(
        impl KeyPart for $shown {
            fn key_part(&self) -> Cow<'_, str> {
                Cow::Owned(self.to_string())
            }
        }
    )*};
}

borrowed! { String, Box<str>, Arc<str>, Cow<'static, str> }
displayed! { u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, bool, char, Uuid }
displayed! { NonZeroU32, NonZeroU64, NonZeroI32, NonZeroI64 }

/// Several parts as one key: joined by `/`, with `/` and `%` in the parts percent-encoded, so that no two lists of
/// parts give one key.
pub(crate) fn join(parts: &[Cow<'_, str>]) -> Cow<'static, str> {
    let mut key = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            key.push('/');
        }
        for character in part.chars() {
            match character {
                '/' => key.push_str("%2F"),
                '%' => key.push_str("%25"),
                other => key.push(other),
            }
        }
    }
    Cow::Owned(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(parts: &[&str]) -> String {
        let parts: Vec<_> = parts.iter().map(|part| Cow::Borrowed(*part)).collect();
        join(&parts).into_owned()
    }

    #[test]
    fn different_parts_give_different_keys() {
        assert_eq!(joined(&["eu", "o-1"]), "eu/o-1");
        let lists: [&[&str]; 7] = [
            &["a/b", "c"],
            &["a", "b/c"],
            &["a%2Fb", "c"],
            &["a", "b", "c"],
            &["", "a"],
            &["a", ""],
            &["a%", "2Fb/c"],
        ];
        let mut keys: Vec<_> = lists.iter().map(|parts| joined(parts)).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), lists.len(), "{keys:?}");
    }
}
