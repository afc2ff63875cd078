//! Whose locks `cargo events contracts` looks after.

use std::fs;
use std::process::Command;

use crate::fixture::{Fixture, ORDER};

const STOCK: &str = r#"use events_core::event;

/// Stock was set aside.
#[event(topic = "inventory", name = "stock/Reserved")]
pub struct StockReserved {
    pub sku: String,
}
"#;

/// Two contract crates, and a service without a library.
fn company() -> Fixture {
    let fixture = Fixture::empty();
    let members = "members = [\"orders\", \"stock\", \"service\"]";
    fixture.write(
        "Cargo.toml",
        format!("[workspace]\nresolver = \"3\"\n{members}\n"),
    );
    fixture.add_crate("orders", "order-contracts", "", ORDER);
    fixture.add_crate(
        "stock",
        "stock-contracts",
        "[lib]\nname = \"stock\"\n",
        STOCK,
    );
    fixture.add_crate("service", "service", "", "");
    fs::rename(
        fixture.path("service/src/lib.rs"),
        fixture.path("service/src/main.rs"),
    )
    .unwrap();
    fixture.write("service/src/main.rs", "fn main() {}\n");
    fixture
}

#[test]
fn all_libraries_or_those_that_are_named() {
    let fixture = company();
    let ended = fixture.contracts(&["lock", "--json"]).ends_with(0);
    for file in [
        "orders/contracts/OrderPlaced.json",
        "stock/contracts/stock%2FReserved.json",
    ] {
        assert!(
            ended.out.contains(&format!("\"file\": \"{file}\"")),
            "{}",
            ended.out
        );
        assert!(fixture.path(file).is_file());
    }
    assert!(
        ended.err.contains("service is no library")
            && ended.err.contains("cargo run -p service -- contracts")
    );
    let ended = fixture
        .contracts(&["release", "-p", "stock-contracts"])
        .ends_with(0);
    assert!(
        ended.out.contains("released  stock/") && !ended.out.contains("orders/"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains("1 released, of 1 events"),
        "{}",
        ended.out
    );
}

#[test]
fn the_crate_of_the_current_directory() {
    let fixture = company();
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-events"))
        .args(["events", "contracts", "check"])
        .current_dir(fixture.path("orders/src"))
        .env("CARGO_NET_OFFLINE", "true")
        .env(
            "CARGO_TARGET_DIR",
            std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("contracts"),
        )
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("[no-lock] OrderPlaced") && said.contains("at: orders/src/lib.rs:4"),
        "{said}"
    );
    assert!(said.contains("1 events: 0 errors"), "{said}");
}

#[test]
fn an_event_whose_crate_deleted_all_others_is_missed() {
    let fixture = company();
    fixture.release();
    fixture.write("stock/src/lib.rs", "");
    let ended = fixture.contracts(&["check"]).ends_with(1);
    assert!(
        ended.out.contains("[deleted] stock/Reserved"),
        "{}",
        ended.out
    );
}

#[test]
fn wrong_words_have_status_two() {
    let fixture = company();
    let ended = fixture.contracts(&["check", "-p", "shipping"]).ends_with(2);
    assert!(
        ended
            .err
            .contains("it has order-contracts, service, stock-contracts"),
        "{}",
        ended.err
    );
    let ended = fixture.contracts(&["check", "-p", "service"]).ends_with(2);
    assert!(
        ended.err.contains("cargo run -p service -- contracts"),
        "{}",
        ended.err
    );
    let ended = fixture
        .contracts(&["check", "--against", "HEAD"])
        .ends_with(2);
    assert!(
        ended.err.contains("lies in no git repository"),
        "{}",
        ended.err
    );
    fixture.contracts(&["check", "--retired", "X"]).ends_with(2);
    fixture.write("orders/src/lib.rs", "this is no Rust");
    let ended = fixture.contracts(&["check"]).ends_with(2);
    assert!(ended.err.contains("does not build"), "{}", ended.err);
}

#[test]
fn features_and_patches_of_the_workspace_are_carried_over() {
    let fixture = Fixture::empty();
    let more = "catalogue = \"0.7\"\n\n[features]\nreturns = []\nstaff = []\n\n[workspace]\n\n[patch.crates-io]\ncatalogue = { path = \"patched/catalogue\" }\n";
    let source = "use events_core::event;\n\n/// What the patch declares.\npub use catalogue::Sku;\n\n/// Stock was set aside.\n#[event(topic = \"stock\")]\npub struct Reserved {\n    pub sku: Sku,\n}\n\n/// Stock came back.\n#[cfg(feature = \"returns\")]\n#[event(topic = \"stock\")]\npub struct Returned {\n    pub sku: Sku,\n}\n\n/// Somebody took it.\n#[cfg(feature = \"staff\")]\n#[event(topic = \"stock\")]\npub struct Taken {\n    pub sku: Sku,\n}\n";
    fixture.add_crate("", "stock-contracts", more, source);
    // Of that name and version there is nothing but the patch.
    fixture.write(
        "patched/catalogue/Cargo.toml",
        "[package]\nname = \"catalogue\"\nversion = \"0.7.7\"\nedition = \"2024\"\n\n[workspace]\n",
    );
    fixture.write("patched/catalogue/src/lib.rs", "pub type Sku = String;\n");
    let created = |words: &[&str], count: usize| {
        let ended = fixture.contracts(&[&["lock"], words].concat()).ends_with(0);
        let said = format!("{count} created");
        assert!(ended.out.contains(&said), "{said}: {}", ended.all());
    };
    created(&[], 1);
    created(&["--features", "returns"], 1);
    created(&["--all-features"], 1);
    assert!(fixture.path("contracts/Taken.json").is_file());
    fixture
        .contracts(&["release", "--all-features"])
        .ends_with(0);
    fixture
        .contracts(&["check", "-F", "stock-contracts/returns,staff"])
        .ends_with(0);
    let ended = fixture.contracts(&["check"]).ends_with(1);
    assert!(ended.out.contains("[deleted] Taken"), "{}", ended.out);
    let ended = fixture.contracts(&["check", "-F", "return"]).ends_with(2);
    assert!(
        ended.err.contains(
            "has a feature `return`; there are stock-contracts/returns, stock-contracts/staff"
        ),
        "{}",
        ended.err
    );
}
