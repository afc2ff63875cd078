//! How commands look where the choreography is shown.

use events_core::company::Company;
use events_core::manifest::Manifest;
use events_docs::{Picture, asyncapi};
use events_kafka::Registry;

fn company() -> Company {
    let manifest = Manifest::of(&Registry::linked(), &[], "commands-depot", |_| None);
    Company::join([manifest])
}

#[test]
fn the_page_shows_a_command_with_its_owner() {
    let page = Picture::of(&company(), &[]).to_html();
    let node = |name: &str| {
        let spoken = format!("{name}, commands");
        let at = page.find(&spoken).unwrap_or_else(|| panic!("no {spoken}"));
        page[..at].rsplit("<g ").next().unwrap().to_owned()
    };
    assert!(
        node("ReserveStock").contains("node command"),
        "{}",
        node("ReserveStock")
    );
    assert!(
        node("StockReply").contains("node event"),
        "{}",
        node("StockReply")
    );
    assert!(page.contains(r#""owner":"commands-depot""#));
}

#[test]
fn the_asyncapi_document_says_who_owns_a_command() {
    let document = asyncapi::document(&company(), "1");
    let messages = &document["components"]["messages"];
    assert_eq!(messages["ReserveStock"]["x-owner"], "commands-depot");
    let said = messages["ReserveStock"]["description"].as_str().unwrap();
    assert!(
        said.contains("A command: `commands-depot` alone handles it."),
        "{said}"
    );
    assert!(messages["StockReply"]["x-owner"].is_null());
}
