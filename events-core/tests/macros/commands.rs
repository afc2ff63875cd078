//! `#[command]`: an event with an owner, handled by it alone.

use events_core::company::Company;
use events_core::manifest::Manifest;
use events_core::{
    Command, Emission, Event, EventDescriptor, Graph, Registry, Request, ServiceContext, check,
    command, event, handler,
};

/// Sets stock aside.
#[command(owner = "depot", key = id, reply = StockAnswer, version = 2)]
pub(crate) struct ReserveStock {
    id: String,
    #[command(since = 2)]
    note: Option<String>,
}

#[command(owner = "depot", topic = "orders-to-the-depot", name = "stock.count")]
pub(crate) struct CountStock;

#[event(topic = "depot", key = id)]
pub(crate) struct StockAnswer {
    id: String,
}

#[handler(service = "depot")]
async fn reserve(command: ReserveStock) -> StockAnswer {
    drop(command.note);
    StockAnswer { id: command.id }
}

#[handler(service = "depot", group = "depot-audit")]
async fn audit(_command: CountStock) -> ReserveStock {
    let id = String::new();
    ReserveStock { id, note: None }
}

#[handler(service = "spy")]
async fn peek(_command: ReserveStock) {}

#[handler(service = "spy")]
async fn count(_command: CountStock) {}

fn registry() -> Registry {
    let mut registry = Registry::linked();
    registry
        .handlers
        .retain(|handler| handler.module.ends_with("::commands"));
    registry
}

#[test]
fn a_command_is_an_event_with_an_owner_and_a_topic_of_its_own() {
    fn reply<C: Request>() -> &'static EventDescriptor {
        <C::Reply as Event>::DESCRIPTOR
    }
    fn descriptor<C: Command>() -> &'static EventDescriptor {
        C::DESCRIPTOR
    }
    let reserve = descriptor::<ReserveStock>();
    assert_eq!(
        (reserve.name, reserve.topic, reserve.owner, reserve.version),
        ("ReserveStock", "depot.reserve-stock", Some("depot"), 2)
    );
    assert_eq!(reserve.key, ["id"]);
    assert_eq!(reply::<ReserveStock>().name, "StockAnswer");
    let count = descriptor::<CountStock>();
    assert_eq!(
        (count.name, count.topic, count.owner),
        ("stock.count", "orders-to-the-depot", Some("depot"))
    );
    assert_eq!(StockAnswer::DESCRIPTOR.owner, None);
    let mut sent = Vec::new();
    <ReserveStock as Emission>::declare(&mut sent);
    assert_eq!(sent, [reserve], "a handler sends it by returning it");
}

#[test]
fn only_the_owner_handles_a_command() {
    assert_eq!(check(&registry(), &ServiceContext::new("depot")), []);
    let faults = check(&registry(), &ServiceContext::new("spy"));
    let [one, other] = &faults[..] else {
        panic!("all at once: {faults:?}");
    };
    for fault in [one, other] {
        assert_eq!(fault.code, "command-owner");
        assert!(fault.message.contains("belongs to `depot`"), "{fault}");
        assert!(fault.remedy.contains("let `depot` alone"), "{fault}");
    }
    assert!(one.message.contains("`stock.count`"), "{one}");
    assert!(other.message.contains("`ReserveStock`"), "{other}");
}

#[test]
fn a_manifest_names_the_owner() {
    let manifest = Manifest::of(&registry(), &[], "depot", |_| None);
    let owner = |name| manifest.event(name).unwrap().owner.as_deref();
    assert_eq!(owner("ReserveStock"), Some("depot"));
    assert_eq!(owner("StockAnswer"), None);
}

#[test]
fn the_graph_tells_commands_from_events() {
    let manifest = Manifest::of(&registry(), &[], "depot", |_| None);
    let company = Company::join([manifest]).graph();
    for graph in [Graph::of(&registry()), company] {
        assert_eq!(graph.owners["ReserveStock"], "depot");
        assert!(!graph.owners.contains_key("StockAnswer"));
        let tree = graph.to_text();
        assert!(
            tree.contains("ReserveStock  [depot.reserve-stock]  command of depot\n"),
            "{tree}"
        );
        assert!(tree.contains("StockAnswer  [depot]\n"), "{tree}");
        let mermaid = graph.to_mermaid();
        assert!(
            mermaid.contains(
                "event_ReserveStock{{\"ReserveStock<br/><small>depot.reserve-stock<br/>command of depot</small>\"}}"
            ),
            "{mermaid}"
        );
        let dot = graph.to_dot();
        assert!(
            dot.contains(
                "\"ReserveStock\" [shape=hexagon, label=\"ReserveStock, command of depot\""
            ),
            "{dot}"
        );
    }
}
