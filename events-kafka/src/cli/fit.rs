//! Whether a payload fits its type, as its handler would get it: an older one through its upcasters.

use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use events_core::engine::Panicked;
use events_core::{EventDescriptor, Registry, escape, to_current};

use super::bytes::quoted;
use super::payload;

/// A payload beside its type.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fit {
    /// What is wrong; empty if nothing is.
    pub(super) complaints: Vec<String>,
    /// What upcasters made of it; none if none takes part.
    pub(super) current: Option<Vec<u8>>,
}

/// Writes what comes of the comparison below a payload of `version`.
pub(super) fn write(text: &mut String, fit: Option<&Fit>, version: u32) {
    if let Some(current) = fit.and_then(|fit| fit.current.as_deref()) {
        let current = quoted(current);
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n\npayload, as upcasters make it of version {version}\n{current}"
        );
    }
    match fit.map(|fit| fit.complaints.as_slice()) {
        None => text.push_str(
            "\n\nits type is not known to this binary, so it is not compared with a schema",
        ),
        Some([]) => text.push_str("\n\nit fits its schema"),
        Some(complaints) => {
            text.push_str("\n\nit does not fit its schema:");
            for complaint in complaints {
                let _ = write!(text, "\n  {}", escape::line(complaint));
            }
        }
    }
}

/// Compares a payload of `version` with its type; none if the type is not known here.
pub(super) fn of(
    registry: &Registry,
    event: Option<&str>,
    version: u32,
    payload: Option<&[u8]>,
) -> Option<Fit> {
    let event = registry.event(event?)?;
    let mut fit = Fit::default();
    let Some(payload) = payload else {
        fit.complaints.push("it has no value".to_owned());
        return Some(fit);
    };
    match upcast(event, version, payload) {
        Ok(None) => fit.complaints = complaints(event, payload),
        Ok(Some(current)) => {
            let known = event.version;
            let found = complaints(event, &current).into_iter();
            fit.complaints = found
                .map(|found| format!("as version {known}, which its upcasters make of it: {found}"))
                .collect();
            fit.current = Some(current);
        }
        Err(fault) => fit.complaints.push(fault),
    }
    Some(fit)
}

/// What a panic said: an upcaster is the user's own code, and the command must go on.
fn upcast(
    event: &EventDescriptor,
    version: u32,
    payload: &[u8],
) -> Result<Option<Vec<u8>>, String> {
    let made = catch_unwind(AssertUnwindSafe(|| to_current(event, payload, version)));
    match made {
        Ok(Ok(current)) => Ok((*current != *payload).then(|| current.into_owned())),
        Ok(Err(error)) => Err(format!("{error:#}")),
        Err(panic) => Err(format!(
            "an upcaster of {} from version {version}: {}",
            event.name,
            Panicked::error(panic)
        )),
    }
}

fn complaints(event: &EventDescriptor, payload: &[u8]) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(payload) else {
        return vec!["it is no text".to_owned()];
    };
    let mut found = payload::complaints(text, &(event.schema)());
    if found.is_empty()
        && let Err(error) = (event.encode_json)(text)
    {
        found.push(format!("{error:#}"));
    }
    found
}

#[cfg(test)]
mod tests {
    use events_core::{Event, event, payload, upcast};

    use super::*;

    #[event(topic = "fits", key = id, version = 3)]
    struct Crate {
        id: u32,
        #[event(since = 2, upcast)]
        grams: u32,
        #[event(since = 3)]
        note: Option<String>,
    }

    #[payload]
    struct CrateV1 {
        id: u32,
        kilos: String,
    }

    #[upcast(from = 1)]
    fn weighed(old: CrateV1) -> events_core::Result<Crate> {
        assert_ne!(old.id, 13, "thirteen is no crate");
        let kilos: u32 = old.kilos.parse()?;
        Ok(Crate {
            id: old.id,
            grams: kilos * 1_000,
            note: None,
        })
    }

    fn fit(version: u32, payload: &str) -> Fit {
        of(
            &Registry::linked(),
            Some("Crate"),
            version,
            Some(payload.as_bytes()),
        )
        .unwrap()
    }

    #[test]
    fn an_older_payload_is_compared_as_its_handler_gets_it() {
        let older = fit(1, r#"{"id":1,"kilos":"2"}"#);
        assert_eq!(older.complaints, [""; 0]);
        assert_eq!(
            older.current.as_deref(),
            Some(&br#"{"id":1,"grams":2000,"note":null}"#[..])
        );
        // No upcaster takes these: the schema is theirs.
        for version in [2, 3, 4] {
            let fits = fit(version, r#"{"id":1,"grams":2000}"#);
            assert_eq!(fits, Fit::default(), "{version}");
            let lacks = fit(version, r#"{"id":1}"#);
            assert_eq!(
                lacks.complaints,
                ["the field `grams` is missing"],
                "{version}"
            );
        }
        assert_eq!(Crate::DESCRIPTOR.version, 3);
    }

    #[test]
    fn what_an_upcaster_refuses_is_told_with_its_cause() {
        let told = fit(1, r#"{"id":1,"kilos":"two"}"#).complaints.concat();
        assert!(
            told.contains("weighed") && told.contains("invalid digit"),
            "{told}"
        );
        let told = fit(1, r#"{"id":1,"grams":5}"#).complaints.concat();
        assert!(told.contains("missing field `kilos`"), "{told}");
    }

    #[test]
    fn a_panic_in_an_upcaster_is_told_and_ends_nothing() {
        let told = fit(1, r#"{"id":13,"kilos":"2"}"#).complaints.concat();
        assert!(
            told.starts_with("an upcaster of Crate from version 1: ")
                && told.contains("thirteen is no crate"),
            "{told}"
        );
    }

    #[test]
    fn what_is_no_payload_is_told() {
        let registry = Registry::linked();
        let of = |payload| of(&registry, Some("Crate"), 1, payload).unwrap().complaints;
        assert_eq!(of(None), ["it has no value"]);
        assert!(of(Some(b"{")).concat().contains("CrateV1"));
        assert_eq!(super::of(&registry, Some("Unknown"), 1, None), None);
        assert_eq!(super::of(&registry, None, 1, None), None);
    }
}
