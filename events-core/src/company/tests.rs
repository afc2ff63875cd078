mod deployment;
mod growth;
mod versions;

use std::cell::Cell;

use serde_json::json;

use super::*;
use crate::manifest::{EventEntry, FORMAT, HandlerEntry};

thread_local! {
    /// Steps of checks on this thread.
    pub(super) static VISITS: Cell<usize> = const { Cell::new(0) };
}

/// A service from lines such as `ship: StockReserved -> OrderShipped`; `!Event` marks a failure.
fn service(name: &str, publishes: &[&str], handlers: &[&str]) -> Manifest {
    let mut manifest = Manifest {
        format: FORMAT,
        service: name.to_owned(),
        framework: String::new(),
        handlers: Vec::new(),
        publishes: publishes.iter().map(ToString::to_string).collect(),
        events: Vec::new(),
        topics: Vec::new(),
        groups: Vec::new(),
    };
    for line in handlers {
        let (handler, rest) = line.split_once(": ").expect("handler: takes -> emits");
        let (takes, emits) = rest.split_once(" -> ").unwrap_or((rest, ""));
        let words = |text: &str| -> Vec<_> { text.split_whitespace().map(str::to_owned).collect() };
        let emits = words(emits);
        let plain = |event: &String| event.trim_start_matches('!').to_owned();
        manifest.handlers.push(HandlerEntry {
            handler: handler.to_owned(),
            takes: words(takes),
            failures: emits
                .iter()
                .filter(|event| event.starts_with('!'))
                .map(plain)
                .collect(),
            emits: emits.iter().map(plain).collect(),
            location: format!("src/{name}.rs:7"),
            ..HandlerEntry::default()
        });
    }
    let used = manifest.handlers.iter();
    let used = used.flat_map(|handler| handler.takes.iter().chain(&handler.emits));
    let names: BTreeSet<_> = used.chain(&manifest.publishes).cloned().collect();
    manifest.events = names
        .into_iter()
        .map(|name| EventEntry {
            topic: format!("{}s", name.to_lowercase()),
            name,
            version: 1,
            schema: json!({ "type": "object", "properties": { "id": { "type": "string" } } }),
            ..EventEntry::default()
        })
        .collect();
    manifest
}

fn entry<'a>(manifest: &'a mut Manifest, event: &str) -> &'a mut EventEntry {
    let mut events = manifest.events.iter_mut();
    events
        .find(|entry| entry.name == event)
        .expect("the service uses it")
}

/// A company without faults: orders, payments and shipping.
fn shop() -> Vec<Manifest> {
    vec![
        service(
            "orders",
            &["Placed"],
            &["close: Shipped", "refuse: Declined"],
        ),
        service("payments", &[], &["capture: Placed -> Captured !Declined"]),
        service("shipping", &[], &["ship: Captured -> Shipped"]),
    ]
}

fn check(manifests: Vec<Manifest>) -> Vec<Finding> {
    let findings = Company::join(manifests).check(&Limits::default());
    for finding in &findings {
        assert!(finding.fault.remedy.len() > 20, "{finding}");
    }
    findings
}

/// The one finding of a check: its code, and its message.
#[track_caller]
fn only(findings: &[Finding]) -> (&'static str, &str) {
    assert_eq!(findings.len(), 1, "{findings:#?}");
    (findings[0].fault.code, &findings[0].fault.message)
}

#[test]
fn a_sound_company_has_no_findings() {
    assert_eq!(check(shop()), []);
}

#[test]
fn an_event_that_nobody_handles_is_told_and_a_failure_is_worse() {
    let mut manifests = shop();
    manifests[0]
        .handlers
        .retain(|handler| handler.handler != "close");
    let findings = check(manifests);
    assert_eq!(only(&findings).0, "unhandled-event");
    assert_eq!(findings[0].severity, Severity::Warning);
    assert_eq!(findings[0].location.as_deref(), Some("src/shipping.rs:7"));

    let mut manifests = shop();
    manifests[0]
        .handlers
        .retain(|handler| handler.handler != "refuse");
    let findings = check(manifests);
    let (code, message) = only(&findings);
    assert_eq!(code, "unhandled-failure");
    assert_eq!(
        message,
        "nobody handles `Declined`, by which `payments/capture` tells of a failure"
    );
    assert_eq!(findings[0].severity, Severity::Error);
}

#[test]
fn a_handler_that_nobody_feeds_is_told_unless_its_event_comes_from_outside() {
    let mut manifests = shop();
    manifests[0].publishes.clear();
    let findings = check(manifests.clone());
    let (code, message) = only(&findings);
    assert_eq!(code, "unfed-handler");
    assert_eq!(
        message,
        "nobody publishes `Placed`, which `payments/capture` waits for"
    );
    assert_eq!(findings[0].handler.as_deref(), Some("payments/capture"));
    let outside = Limits {
        entries: BTreeSet::from(["Placed".to_owned()]),
        ..Limits::default()
    };
    assert_eq!(Company::join(manifests).check(&outside), []);
}

#[test]
fn publishers_that_differ_are_told() {
    let twice = || {
        let mut manifests = shop();
        manifests.push(service("desk", &["Placed"], &[]));
        manifests
    };
    assert_eq!(check(twice()), []);

    let mut topics = twice();
    entry(&mut topics[3], "Placed").topic = "desk".to_owned();
    let findings = check(topics);
    let (code, message) = only(&findings);
    assert_eq!(code, "different-topics");
    assert!(
        message.contains("`desk` to `desk`, `orders` to `placeds`"),
        "{message}"
    );

    let mut schemas = twice();
    entry(&mut schemas[3], "Placed").schema["properties"]["id"]["type"] = json!("integer");
    let findings = check(schemas);
    let (code, message) = only(&findings);
    assert_eq!(code, "different-schemas");
    assert!(
        message.starts_with("published twice: version 1 of `Placed`"),
        "{message}"
    );

    let mut words = twice();
    entry(&mut words[3], "Placed").schema["description"] = json!("for people");
    assert_eq!(check(words), []);
}

#[test]
fn a_reader_on_another_topic_or_schema_is_told() {
    let mut manifests = shop();
    entry(&mut manifests[2], "Captured").topic = "captured-2019".to_owned();
    let findings = check(manifests);
    let (code, message) = only(&findings);
    assert_eq!(code, "different-topics");
    assert!(
        message.starts_with("`shipping/ship` waits for `Captured`"),
        "{message}"
    );

    let mut manifests = shop();
    entry(&mut manifests[2], "Captured").schema["required"] = json!(["id"]);
    assert_eq!(only(&check(manifests)).0, "different-schemas");
}

#[test]
fn readers_behind_their_writers_are_told() {
    let mut manifests = shop();
    let written = entry(&mut manifests[1], "Captured");
    written.version = 3;
    let findings = check(manifests.clone());
    assert_eq!(only(&findings).0, "newer-writer");
    assert_eq!(findings[0].severity, Severity::Note);

    entry(&mut manifests[1], "Captured").oldest = Some(2);
    let findings = check(manifests.clone());
    let (code, message) = only(&findings);
    assert_eq!(
        (code, findings[0].severity),
        ("reader-too-old", Severity::Error)
    );
    assert!(
        message.contains("`shipping/ship` reads version 1"),
        "{message}"
    );
    entry(&mut manifests[2], "Captured").version = 2;
    assert_eq!(only(&check(manifests)).0, "newer-writer");
}

#[test]
fn circles_are_told_with_their_path_unless_a_handler_allows_them() {
    let mut manifests = shop();
    manifests[0].handlers[0].emits = vec!["Placed".to_owned()];
    let findings = check(manifests.clone());
    assert_eq!(
        only(&findings).1,
        "events go round in a circle: Captured → shipping/ship → Shipped → orders/close → Placed → payments/capture → Captured"
    );
    manifests[0].handlers[0].allow_cycle = vec!["Placed".to_owned()];
    assert_eq!(check(manifests), []);
}

#[test]
fn fan_out_above_the_limit_is_told() {
    let handlers: Vec<_> = (0..21).map(|index| format!("h{index}: Placed")).collect();
    let handlers: Vec<_> = handlers.iter().map(String::as_str).collect();
    let fan = |count| {
        vec![
            service("orders", &["Placed"], &[]),
            service("many", &[], &handlers[..count]),
        ]
    };
    assert_eq!(check(fan(20)), []);
    let findings = check(fan(21));
    let (code, message) = only(&findings);
    assert_eq!(code, "fan-out");
    assert!(message.ends_with("and 16 more"), "{message}");
}

#[test]
fn a_command_has_one_owner() {
    let owned = |owner: &str| {
        let mut manifests = shop();
        for manifest in &mut manifests {
            for entry in manifest
                .events
                .iter_mut()
                .filter(|entry| entry.name == "Captured")
            {
                entry.owner = Some(owner.to_owned());
            }
        }
        manifests
    };
    assert_eq!(check(owned("shipping")), []);
    let nobody: Vec<_> = check(owned("depot"))
        .iter()
        .map(|finding| finding.fault.code)
        .collect();
    assert_eq!(nobody, ["command-owner", "command-unhandled"]);
    let mut unhandled = owned("shipping");
    unhandled[2].handlers.clear();
    unhandled[0]
        .handlers
        .retain(|handler| handler.handler == "refuse");
    // Told of the command alone, and not as an event that nobody handles too.
    assert_eq!(only(&check(unhandled)).0, "command-unhandled");
    let mut two = owned("shipping");
    two.push(service("spy", &[], &["peek: Captured"]));
    assert!(
        only(&check(two))
            .1
            .ends_with("but `spy/peek` handles it too")
    );
}

#[test]
fn two_manifests_of_a_service_are_one_if_they_say_the_same() {
    let mut manifests = shop();
    manifests.push(manifests[1].clone());
    assert_eq!(check(manifests.clone()), []);
    manifests.push(service("payments", &[], &["capture: Placed"]));
    assert_eq!(only(&check(manifests)).0, "duplicate-service");
}

#[test]
fn all_faults_are_told_at_once_and_the_worst_first() {
    let mut manifests = shop();
    manifests[0].publishes.clear();
    manifests[0].handlers.clear();
    entry(&mut manifests[1], "Captured").version = 2;
    let codes: Vec<_> = check(manifests)
        .iter()
        .map(|finding| finding.fault.code)
        .collect();
    assert_eq!(
        codes,
        [
            "unhandled-failure",
            "unfed-handler",
            "unhandled-event",
            "newer-writer"
        ]
    );
}

#[test]
fn a_removal_names_whom_it_breaks() {
    let before = Company::join(shop());
    let mut manifests = shop();
    manifests[1].handlers[0]
        .emits
        .retain(|event| event != "Captured");
    let changes = Company::join(manifests).changes(&before);
    assert_eq!(
        only(&changes).1,
        "`payments` published `Captured` and nobody does any more: this removal breaks `shipping/ship`"
    );
    let without_a_service = Company::join(shop().into_iter().skip(1)).changes(&before);
    let codes: Vec<_> = without_a_service
        .iter()
        .map(|finding| finding.fault.code)
        .collect();
    assert_eq!(
        codes,
        [
            "removal-leaves-failure",
            "removal-breaks-reader",
            "removal-leaves-event"
        ]
    );
    assert_eq!(before.changes(&before), []);
}

#[test]
fn changes_of_a_contract_name_whom_they_break() {
    let before = Company::join(shop());
    let changed = |change: &dyn Fn(&mut EventEntry)| {
        let mut manifests = shop();
        change(entry(&mut manifests[1], "Captured"));
        let changes = Company::join(manifests).changes(&before);
        if let Some(first) = changes.first() {
            assert!(
                first.fault.message.ends_with("this breaks `shipping/ship`"),
                "{first}"
            );
        }
        changes
            .iter()
            .map(|finding| finding.fault.code)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        changed(&|event| event.topic = "others".to_owned()),
        ["topic-changed"]
    );
    assert_eq!(
        changed(&|event| event.key = vec!["id".to_owned()]),
        ["key-changed"]
    );
    assert_eq!(changed(&|event| event.version = 0), ["version-lowered"]);
    let other = json!({ "type": "object" });
    assert_eq!(
        changed(&|event| event.schema = other.clone()),
        ["changed-without-version"]
    );
    let next = |event: &mut EventEntry| (event.schema, event.version) = (other.clone(), 2);
    assert_eq!(changed(&next), Vec::<&str>::new());
}
