//! Keys of events.

use std::borrow::Cow;
use std::sync::Arc;

use events_core::{Event, KeyPart, event, payload};
use uuid::Uuid;

#[event(topic = "t", key = id)]
struct ByText {
    id: String,
}

#[event(topic = "t", key = (tenant, id))]
struct ByTwo {
    tenant: String,
    id: u32,
}

#[event(topic = "t", key = (id,))]
#[serde(rename_all = "camelCase")]
struct ByUuid {
    #[serde(rename = "ID", alias = "iD")]
    id: Uuid,
    unit_price: u32,
}

#[payload]
struct Code(u64);

impl KeyPart for Code {
    fn key_part(&self) -> Cow<'_, str> {
        Cow::Owned(format!("c{}", self.0))
    }
}

#[event(topic = "t", key = code)]
struct ByCode {
    code: Code,
}

#[event(topic = "t", key = id)]
struct BySharedText {
    id: Arc<str>,
}

#[test]
fn shared_text_is_borrowed() {
    let event = BySharedText { id: "a".into() };
    assert!(matches!(event.key(), Some(Cow::Borrowed("a"))));
    let read: BySharedText = events_core::decode(Some(br#"{"id":"b"}"#), 1).unwrap();
    assert_eq!(&*read.id, "b");
}

#[test]
fn one_text_field_is_borrowed() {
    let event = ByText {
        id: "a/b".to_owned(),
    };
    assert!(matches!(event.key(), Some(Cow::Borrowed("a/b"))));
}

#[test]
fn several_fields_are_joined_without_meeting() {
    let key = |tenant: &str, id| {
        ByTwo {
            tenant: tenant.to_owned(),
            id,
        }
        .key()
        .unwrap()
        .into_owned()
    };
    assert_eq!(key("eu", 7), "eu/7");
    assert_eq!(key("e/u", 7), "e%2Fu/7");
    assert_ne!(key("a%2Fb", 7), key("a/b", 7));
    assert_eq!(ByTwo::DESCRIPTOR.key, ["tenant", "id"]);
}

#[test]
fn wire_names_are_serdes() {
    assert_eq!(ByUuid::DESCRIPTOR.key, ["ID"]);
    let event = ByUuid {
        id: Uuid::nil(),
        unit_price: 3,
    };
    assert_eq!(
        event.key().as_deref(),
        Some("00000000-0000-0000-0000-000000000000")
    );
    let encoded = events_core::encode(&event).unwrap();
    assert_eq!(
        encoded.value,
        br#"{"ID":"00000000-0000-0000-0000-000000000000","unitPrice":3}"#
    );
}

#[test]
fn ids_of_ones_own_are_keys() {
    assert_eq!(ByCode { code: Code(5) }.key().as_deref(), Some("c5"));
}
