//! What keeps a service from starting: each mistake is told with its remedy, and nothing is without it.

use events_core::{
    Event, EventDescriptor, Fault, HandlerDescriptor, HandlerOptions, Registry, ServiceClaim,
    ServiceContext, check, event, handler,
};

#[event(topic = "scales")]
struct Weighed;

#[event(topic = "scales")]
struct Reweighed;

#[event(topic = "scales", topic_exclusive)]
struct Calibrated;

#[event(topic = "scales", topic_default)]
struct Tared;

#[event(topic = "scales", topic_default)]
struct Zeroed;

#[event(topic = "other-scales", topic_default)]
struct Levelled;

/// The handler called `name`.
fn found(name: &str) -> &'static HandlerDescriptor {
    let handlers = Registry::linked().handlers;
    let found = handlers.into_iter().find(|handler| handler.name == name);
    found.unwrap_or_else(|| panic!("no handler is called {name}"))
}

mod twin {
    #[events_core::event(topic = "other-scales", name = "Weighed")]
    pub(super) struct Weighed;
}

#[handler(service = "scales")]
async fn weigh(_: Weighed) -> Reweighed {
    Reweighed
}

#[handler(service = "scales")]
async fn reweigh(_: Reweighed) -> Weighed {
    Weighed
}

/// `weigh`, otherwise.
fn copy(change: impl FnOnce(&mut HandlerDescriptor)) -> &'static HandlerDescriptor {
    let mut copy = *found("weigh");
    change(&mut copy);
    Box::leak(Box::new(copy))
}

fn check_all(registry: &Registry) -> Vec<Fault> {
    check(registry, &ServiceContext::new("scales"))
}

fn with_events(events: &[&'static EventDescriptor]) -> Vec<Fault> {
    check_all(&Registry {
        events: events.to_vec(),
        handlers: vec![found("weigh")],
        ..Registry::default()
    })
}

fn with_handlers(handlers: &[&'static HandlerDescriptor]) -> Vec<Fault> {
    check_all(&Registry {
        handlers: handlers.to_vec(),
        ..Registry::default()
    })
}

/// There is one fault, and it says all of that.
#[track_caller]
fn assert_fault(faults: &[Fault], code: &str, says: &[&str], remedy: &str) {
    let [fault] = faults else {
        panic!("not one fault: {faults:?}");
    };
    assert_eq!(fault.code, code);
    for part in says {
        assert!(fault.message.contains(part), "no {part:?}: {fault}");
    }
    assert!(fault.remedy.contains(remedy), "no {remedy:?}: {fault}");
}

#[test]
fn two_types_of_one_name_are_a_fault_that_names_both() {
    let (one, other) = (Weighed::DESCRIPTOR, twin::Weighed::DESCRIPTOR);
    assert_fault(
        &with_events(&[one, other]),
        "duplicate-event",
        &[
            "`Weighed` is declared 2 times",
            "checks::Weighed",
            "checks::twin::Weighed",
        ],
        "#[event(name = \"…\")]",
    );
    assert_eq!(with_events(&[one, Reweighed::DESCRIPTOR]), []);
    assert_eq!(with_events(&[one, one]), [], "it is the same type");
}

#[test]
fn a_second_type_on_an_exclusive_topic_is_a_fault() {
    let alone = Calibrated::DESCRIPTOR;
    assert_fault(
        &with_events(&[Weighed::DESCRIPTOR, alone]),
        "exclusive-topic",
        &["topic `scales`", "carries Weighed, Calibrated"],
        "remove `topic_exclusive`",
    );
    assert_eq!(with_events(&[alone, Levelled::DESCRIPTOR]), []);
    let shared = [Weighed::DESCRIPTOR, Reweighed::DESCRIPTOR];
    assert_eq!(with_events(&shared), [], "nobody wants it alone");
}

#[test]
fn a_second_default_type_of_a_topic_is_a_fault() {
    let one = Tared::DESCRIPTOR;
    assert_fault(
        &with_events(&[one, Zeroed::DESCRIPTOR]),
        "topic-default",
        &["topic `scales`", "among Tared, Zeroed"],
        "keep `topic_default` at one event type",
    );
    let fine = [one, Weighed::DESCRIPTOR, Levelled::DESCRIPTOR];
    assert_eq!(with_events(&fine), []);
}

#[test]
fn a_handler_of_no_service_is_a_fault_where_others_have_one() {
    let lost = copy(|handler| {
        handler.name = "lost";
        handler.module = "checks::attic";
        handler.location = "attic.rs:7";
        handler.options = HandlerOptions::NONE;
    });
    let mut registry = Registry {
        handlers: vec![found("weigh"), lost],
        ..Registry::default()
    };
    let faults = check_all(&registry);
    let says = ["`checks::attic::lost`", "attic.rs:7"];
    assert_fault(
        &faults,
        "unclaimed-handler",
        &says,
        "claim its module with service!",
    );
    assert!(
        faults[0].remedy.contains("#[handler(service = "),
        "{faults:?}"
    );

    let (module, service) = ("checks::attic", "storage");
    registry.claims = vec![ServiceClaim { module, service }];
    assert_eq!(check_all(&registry), [], "claimed");
    assert_eq!(with_handlers(&[lost]), [], "the binary names no service");
}

#[test]
fn two_handlers_of_a_service_with_one_name_are_a_fault() {
    let says = ["checks::weigh", "checks::attic::"];
    let remedy = "#[handler(name = \"…\")]";
    let same = copy(|handler| handler.module = "checks::attic");
    // What counts is the name that its state is kept under.
    let renamed = copy(|handler| {
        handler.module = "checks::attic";
        handler.name = "measure";
        handler.options.renamed_from = Some("weigh");
    });
    for other in [same, renamed] {
        let faults = with_handlers(&[found("weigh"), other]);
        assert_fault(&faults, "duplicate-handler", &says, remedy);
    }
    let another = copy(|handler| handler.name = "measure");
    let elsewhere = copy(|handler| handler.options.service = Some("storage"));
    let fine = [found("weigh"), another, elsewhere];
    assert_eq!(with_handlers(&fine), []);
}

#[test]
fn a_circle_of_events_is_a_fault_unless_a_handler_allows_it() {
    let back = found("reweigh");
    assert_fault(
        &with_handlers(&[found("weigh"), back]),
        "cycle",
        &["Reweighed → scales/reweigh → Weighed → scales/weigh → Reweighed"],
        "#[handler(allow_cycle = ",
    );
    assert_eq!(with_handlers(&[back]), []);
    let allowing = copy(|handler| handler.options.allow_cycle = &["Reweighed"]);
    assert_eq!(with_handlers(&[allowing, back]), []);
}
