//! Versions of one event type in several services.

use super::*;

/// The shop with payments that write another version of `Captured` than shipping reads.
fn apart(written: &dyn Fn(&mut EventEntry), read: &dyn Fn(&mut EventEntry)) -> Vec<Finding> {
    let mut manifests = shop();
    written(entry(&mut manifests[1], "Captured"));
    read(entry(&mut manifests[2], "Captured"));
    check(manifests)
}

fn version(number: u32, id: &'static str) -> impl Fn(&mut EventEntry) {
    move |event| {
        event.version = number;
        event.schema["properties"]["id"]["type"] = id.into();
        event.schema["required"] = json!(["id"]);
    }
}

#[test]
fn a_version_that_a_reader_of_another_cannot_read_is_told_with_its_field() {
    let findings = apart(&version(2, "integer"), &version(1, "string"));
    let codes: Vec<_> = findings.iter().map(|found| found.fault.code).collect();
    assert_eq!(codes, ["schema-breaks-reader", "newer-writer"]);
    let message = &findings[0].fault.message;
    assert!(
        message.starts_with("`payments` writes version 2 of `Captured`, which `shipping/ship` cannot read as version 1: id: ")
            && message.contains("integer"),
        "{message}"
    );
    // The reader is ahead.
    let findings = apart(&version(1, "integer"), &version(2, "string"));
    assert_eq!(only(&findings).0, "schema-breaks-reader");
    // Compatible, and so only worth a note.
    let findings = apart(&version(2, "string"), &version(1, "string"));
    assert_eq!(only(&findings).0, "newer-writer");
}

#[test]
fn what_an_upcaster_fills_breaks_nobody() {
    let ahead = |event: &mut EventEntry| {
        version(2, "string")(event);
        event.upcasts.insert("id".to_owned(), 2);
    };
    assert_eq!(apart(&version(1, "integer"), &ahead), []);
    // It makes older records new, and not newer ones old.
    let other = |event: &mut EventEntry| {
        ahead(event);
        event.upcasts.insert("id".to_owned(), 1);
    };
    assert_eq!(
        only(&apart(&version(1, "integer"), &other)).0,
        "schema-breaks-reader"
    );
}

#[test]
fn a_breaking_bump_is_told_by_the_baseline() {
    let with = |change: &dyn Fn(&mut EventEntry)| {
        let mut manifests = shop();
        change(entry(&mut manifests[1], "Captured"));
        Company::join(manifests)
    };
    let before = with(&version(1, "string"));
    let changes = with(&version(2, "integer")).changes(&before);
    let (code, message) = only(&changes);
    assert_eq!(code, "breaking-version");
    assert!(
        message.contains("a reader of version 1 cannot read what version 2 writes: id: ")
            && message.ends_with("this breaks `shipping/ship`"),
        "{message}"
    );
    assert_eq!(with(&version(2, "string")).changes(&before), []);
}

#[test]
fn findings_say_where_the_event_is_declared() {
    let mut manifests = shop();
    let captured = entry(&mut manifests[1], "Captured");
    captured.location = "src/events.rs:12".to_owned();
    version(2, "integer")(captured);
    let findings = check(manifests);
    let places: Vec<_> = findings
        .iter()
        .map(|found| found.location.as_deref())
        .collect();
    assert_eq!(places, [Some("src/events.rs:12"); 2]);
}
