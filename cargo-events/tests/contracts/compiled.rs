//! When the compiler compares, and when it does not.

use std::fs;

use crate::fixture::{Fixture, ORDER};

const LOCK: &str = "contracts/OrderPlaced.json";
const RETYPED: &str = "`amount_cents` was released as `u64` in version 1";

fn retype(fixture: &Fixture, source: &str) {
    fixture.edit(source, "amount_cents: u64", "amount_cents: String");
}

#[test]
fn what_its_lock_keeps_from_compiling_builds_for_the_commands() {
    let fixture = Fixture::single(ORDER);
    fixture.release();
    fixture.cargo(&["build"]).ends_with(0);
    retype(&fixture, "src/lib.rs");
    let ended = fixture.cargo(&["build"]).ends_with(101);
    assert!(ended.err.contains(RETYPED), "{}", ended.err);
    let off = [("EVENTS_CONTRACTS", "off")];
    fixture.cargo_with(&["build"], &off).ends_with(0);
    // The commands switch it off by themselves, and say so.
    let ended = fixture.contracts(&["check"]).ends_with(1);
    for said in [
        "error: [no-bump] OrderPlaced",
        "error: [type] OrderPlaced: amount_cents",
        "EVENTS_CONTRACTS=off",
    ] {
        assert!(ended.out.contains(said), "{said}: {}", ended.out);
    }
    // What was built without a comparison is not taken for one that was compared.
    fixture.cargo(&["build"]).ends_with(101);
}

#[test]
fn a_lock_that_changes_has_the_event_compiled_anew() {
    let fixture = Fixture::single(ORDER);
    fixture.release();
    fixture.cargo(&["build"]).ends_with(0);
    fixture.edit(LOCK, "\"type\": \"u64\"", "\"type\": \"String\"");
    let ended = fixture.cargo(&["build"]).ends_with(101);
    assert!(
        ended
            .err
            .contains("`amount_cents` was released as `String`"),
        "{}",
        ended.err
    );
}

#[test]
fn a_lock_that_is_made_has_the_next_build_compare() {
    let fixture = Fixture::single(ORDER);
    fixture.cargo(&["build"]).ends_with(0);
    fixture.contracts(&["lock"]).ends_with(0);
    // As if another had been released: the next build must see it, though nobody edited the source.
    fixture.edit(LOCK, "\"released\": false", "\"released\": true");
    fixture.edit(LOCK, "\"type\": \"u64\"", "\"type\": \"String\"");
    let ended = fixture.cargo(&["build"]).ends_with(101);
    assert!(
        ended
            .err
            .contains("`amount_cents` was released as `String`"),
        "{}",
        ended.err
    );
}

#[test]
fn a_lock_is_found_above_its_crate_up_to_the_workspace() {
    let fixture = Fixture::empty();
    fixture.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"crates/shop\"]\n",
    );
    fixture.add_crate("crates/shop", "shop-contracts", "", ORDER);
    fixture.release();
    let own = fixture.path("crates/shop/contracts");
    fs::rename(&own, fixture.path("contracts")).unwrap();
    let ended = fixture.contracts(&["lock"]).ends_with(0);
    assert!(
        ended.out.contains("unchanged contracts/OrderPlaced.json"),
        "{}",
        ended.out
    );
    retype(&fixture, "crates/shop/src/lib.rs");
    let ended = fixture.cargo(&["build"]).ends_with(101);
    assert!(ended.err.contains(RETYPED), "{}", ended.err);
}

#[test]
fn a_renamed_type_keeps_its_wire_name_and_its_lock() {
    let source = format!("{ORDER}\nevents_core::contracts_test!();\n");
    let fixture = Fixture::single(&source);
    // Nothing is released yet, so nothing can be said of the name.
    let rename = |from: &str, to: &str| fixture.edit("src/lib.rs", from, to);
    rename(
        "key = order_id",
        "key = order_id, renamed_from = \"OrderMade\"",
    );
    fixture.cargo(&["build"]).ends_with(0);
    rename(", renamed_from = \"OrderMade\"", "");
    fixture.release();

    rename("struct OrderPlaced", "struct OrderAccepted");
    fixture.cargo(&["build"]).ends_with(0);
    let ended = fixture.cargo(&["test", "--quiet", "--lib"]).ends_with(101);
    assert!(
        ended.all().contains("renamed_from = \"OrderPlaced\""),
        "{}",
        ended.all()
    );

    rename(
        "key = order_id",
        "key = order_id, renamed_from = \"OrdrPlaced\"",
    );
    let ended = fixture.cargo(&["build"]).ends_with(101);
    let told = "no contract lock is of `OrdrPlaced` (did you mean `OrderPlaced`?)";
    assert!(ended.err.contains(told), "{}", ended.err);
    let off = [("EVENTS_CONTRACTS", "off")];
    fixture.cargo_with(&["build"], &off).ends_with(0);

    rename("OrdrPlaced", "OrderPlaced");
    let ended = fixture.cargo(&["test", "--quiet", "--lib"]).ends_with(0);
    assert!(ended.out.contains("1 passed"), "{}", ended.out);
    let ended = fixture.contracts(&["lock"]).ends_with(0);
    assert!(
        ended.out.contains(&format!("unchanged {LOCK}")),
        "{}",
        ended.out
    );
    // Still compared.
    retype(&fixture, "src/lib.rs");
    let ended = fixture.cargo(&["build"]).ends_with(101);
    assert!(ended.err.contains(RETYPED), "{}", ended.err);
}

#[test]
fn a_published_crate_keeps_its_contracts_without_a_workspace_or_a_network() {
    let source = format!("{ORDER}\nevents_core::contracts_test!();\n");
    let fixture = Fixture::single(&source);
    fixture.release();
    let list = fixture
        .cargo(&["package", "--list", "--allow-dirty"])
        .ends_with(0);
    assert!(list.out.lines().any(|file| file == LOCK), "{}", list.out);
    // What the package holds, somewhere else, and nothing above it.
    let published = Fixture::empty();
    for file in list.out.lines().filter(|file| fixture.path(file).is_file()) {
        published.write(file, fixture.read(file));
    }
    published.edit("Cargo.toml", "[workspace]\n", "");
    let ended = published.cargo(&["test", "--quiet", "--lib"]).ends_with(0);
    assert!(ended.out.contains("1 passed"), "{}", ended.out);
    retype(&published, "src/lib.rs");
    let ended = published.cargo(&["build"]).ends_with(101);
    assert!(ended.err.contains(RETYPED), "{}", ended.err);
}
