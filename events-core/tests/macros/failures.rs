//! `#[emission(failure)]`: the events by which a handler tells of a failure.

use events_core::company::{Company, Limits, Severity};
use events_core::manifest::Manifest;
use events_core::{Emission, Emissions, EventDescriptor, Graph, Registry, Result, event, handler};

#[event(topic = "parcels", key = id)]
struct ParcelAsked {
    id: u8,
}

#[event(topic = "parcels", key = id)]
struct ParcelPacked {
    id: u8,
}

#[event(topic = "parcels", key = id)]
struct PartMissing {
    id: u8,
}

#[event(topic = "parcels", key = id)]
struct PartBroken {
    id: u8,
}

#[derive(Emission)]
enum Packing {
    Packed(ParcelPacked),
    #[emission(failure)]
    Missing(PartMissing),
    #[emission(failure)]
    Broken((PartBroken, Option<PartMissing>)),
    Nothing,
}

#[derive(Emission)]
enum Answer {
    Packing(Result<Packing>),
    Again(ParcelAsked),
}

#[derive(Emission)]
enum Refusal {
    #[emission(failure)]
    Packing(Packing),
    Again(ParcelAsked),
}

#[handler(service = "packing", allow_cycle = "ParcelAsked")]
async fn pack(asked: ParcelAsked) -> Result<Answer> {
    let ParcelAsked { id } = asked;
    Ok(match id {
        0 => Answer::Again(ParcelAsked { id: 1 }),
        1 => Answer::Packing(Ok(Packing::Missing(PartMissing { id }))),
        2 => Answer::Packing(Ok(Packing::Broken((PartBroken { id }, None)))),
        3 => Answer::Packing(Ok(Packing::Nothing)),
        _ => Answer::Packing(Ok(Packing::Packed(ParcelPacked { id }))),
    })
}

/// What one handler tells of as a failure is a plain event of another.
#[handler(service = "stocktaking")]
async fn take_stock(packed: ParcelPacked) -> (PartMissing, PartBroken) {
    let ParcelPacked { id } = packed;
    (PartMissing { id }, PartBroken { id })
}

#[handler(service = "workshop")]
async fn mend(_: PartBroken) {}

#[handler(service = "purchasing")]
async fn buy(_: PartMissing) {}

fn registry() -> Registry {
    let mut registry = Registry::linked();
    let ours = |module: &str| module.ends_with("::failures");
    registry.handlers.retain(|handler| ours(handler.module));
    registry.events.clear();
    registry
}

fn manifest(service: &str) -> Manifest {
    Manifest::of(&registry(), &[], service, |_| None)
}

fn company(services: &[&str]) -> Company {
    Company::join(services.iter().map(|service| manifest(service)))
}

fn names(declare: fn(&mut Vec<&'static EventDescriptor>)) -> Vec<&'static str> {
    let mut types = Vec::new();
    declare(&mut types);
    types.into_iter().map(|event| event.name).collect()
}

#[test]
fn marked_variants_are_the_failures_of_an_outcome() {
    let failures = ["PartMissing", "PartBroken", "PartMissing"];
    assert_eq!(names(Packing::declare_failures), failures);
    assert_eq!(names(ParcelPacked::declare_failures), [""; 0]);
    assert_eq!(names(<() as Emission>::declare_failures), [""; 0]);
}

#[test]
fn what_holds_an_outcome_has_its_failures() {
    type Error = std::io::Error;
    type Six = (
        PartBroken,
        ParcelAsked,
        (),
        ParcelPacked,
        (Packing,),
        Packing,
    );
    let failures = ["PartMissing", "PartBroken", "PartMissing"];
    for holds_one in [
        <Option<Packing>>::declare_failures,
        <Vec<Packing>>::declare_failures,
        <Result<Packing>>::declare_failures,
        <Result<Packing, Error>>::declare_failures,
        <(ParcelAsked, Packing)>::declare_failures,
        Answer::declare_failures,
    ] {
        assert_eq!(names(holds_one), failures);
    }
    assert_eq!(names(Six::declare_failures), [failures, failures].concat());
}

#[test]
fn a_marked_variant_tells_of_a_failure_by_all_that_it_holds() {
    assert_eq!(
        names(Refusal::declare_failures),
        ["ParcelPacked", "PartMissing", "PartBroken", "PartMissing"]
    );
}

#[test]
fn a_failure_is_published_like_any_other_event() {
    let emitted = |refusal: Refusal| -> Vec<_> {
        let mut emissions = Emissions::new();
        refusal.emit(&mut emissions).unwrap();
        emissions.iter().map(|emitted| emitted.event.name).collect()
    };
    let parts = (PartBroken { id: 2 }, Some(PartMissing { id: 2 }));
    let broken = Refusal::Packing(Packing::Broken(parts));
    assert_eq!(emitted(broken), ["PartBroken", "PartMissing"]);
    assert_eq!(
        emitted(Refusal::Again(ParcelAsked { id: 2 })),
        ["ParcelAsked"]
    );
}

#[test]
fn a_handler_knows_its_failures_each_once() {
    let of = |name: &str| {
        let handlers = registry().handlers;
        let found = handlers.into_iter().find(|handler| handler.name == name);
        let failures = found.expect("it is linked").failures();
        failures.iter().map(|event| event.name).collect::<Vec<_>>()
    };
    assert_eq!(of("pack"), ["PartMissing", "PartBroken"]);
    assert_eq!(of("take_stock"), [""; 0]);
    assert_eq!(of("mend"), [""; 0]);
}

#[test]
fn a_manifest_holds_the_failures_of_its_handlers() {
    let packing = manifest("packing");
    assert_eq!(packing.handlers[0].failures, ["PartMissing", "PartBroken"]);
    for failure in &packing.handlers[0].failures {
        assert!(packing.handlers[0].emits.contains(failure), "{packing:?}");
    }
    let read = Manifest::read("packing.json", packing.to_json().as_bytes()).unwrap();
    assert_eq!(read, [packing]);
    let others = manifest("stocktaking");
    assert!(!others.to_json().contains("\"failures\""), "{others:?}");
}

#[test]
fn a_failure_that_nobody_handles_is_an_error_of_the_company() {
    let found = |services: &[&str]| -> Vec<_> {
        let findings = company(services).check(&Limits::default());
        let told = findings.into_iter().map(|finding| {
            let event = finding.event.unwrap_or_default();
            (finding.fault.code, finding.severity, event)
        });
        told.collect()
    };
    let unhandled = |event: &str| ("unhandled-failure", Severity::Error, event.to_owned());
    assert_eq!(
        found(&["packing", "stocktaking"]),
        [unhandled("PartBroken"), unhandled("PartMissing")]
    );
    assert_eq!(
        found(&["packing", "stocktaking", "workshop"]),
        [unhandled("PartMissing")]
    );
    assert_eq!(
        found(&["packing", "stocktaking", "workshop", "purchasing"]),
        []
    );
}

#[test]
fn the_graph_shows_a_failure_at_the_handler_that_tells_of_it() {
    let joined = company(&["packing", "stocktaking", "workshop", "purchasing"]).graph();
    for graph in [Graph::of(&registry()), joined] {
        let text = graph.to_text();
        for (line, count) in [
            ("\n    PartBroken  [parcels]  ✗ failure  (see above)\n", 1),
            ("\n    PartMissing  [parcels]  ✗ failure  (see above)\n", 1),
            ("✗", 2),
            ("\n    ParcelPacked  [parcels]\n", 1),
            // Of the handler for which it is a plain event.
            ("\n        PartBroken  [parcels]\n", 1),
        ] {
            assert_eq!(text.matches(line).count(), count, "{line}{text}");
        }
        let mermaid = graph.to_mermaid();
        for (line, count) in [
            (
                "handler_packing_2f_pack -. failure .-> event_PartBroken\n",
                1,
            ),
            (
                "handler_packing_2f_pack -. failure .-> event_PartMissing\n",
                1,
            ),
            ("failure", 2),
            ("handler_packing_2f_pack --> event_ParcelPacked\n", 1),
            (
                "handler_stocktaking_2f_take_5f_stock --> event_PartBroken\n",
                1,
            ),
        ] {
            assert_eq!(mermaid.matches(line).count(), count, "{line}{mermaid}");
        }
        let dot = graph.to_dot();
        let dashed = "[style=dashed, label=\"failure\"];\n";
        for (line, count) in [
            (format!("\"packing/pack\" -> \"PartBroken\" {dashed}"), 1),
            (format!("\"packing/pack\" -> \"PartMissing\" {dashed}"), 1),
            ("failure".to_owned(), 2),
            ("\"packing/pack\" -> \"ParcelPacked\";\n".to_owned(), 1),
            (
                "\"stocktaking/take_stock\" -> \"PartBroken\";\n".to_owned(),
                1,
            ),
        ] {
            assert_eq!(dot.matches(&line).count(), count, "{line}{dot}");
        }
        let json = serde_json::to_string(&graph).unwrap();
        assert_eq!(json.matches("\"failures\"").count(), 1, "{json}");
        assert_eq!(serde_json::from_str::<Graph>(&json).unwrap(), graph);
    }
}
