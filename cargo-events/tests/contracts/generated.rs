//! The test that `events_core::contracts_test!()` generates, for what the compiler cannot see.

use std::fs;

use crate::fixture::Fixture;

const SOURCE: &str = r#"//! Events whose changes only the compiler's types show.

use events_core::{event, payload};

pub type Cents = u64;

#[payload]
pub struct Line {
    pub sku: String,
}

/// Of an alias.
#[event(topic = "orders")]
pub struct Aliased {
    pub cents: Cents,
}

/// Of a nested type.
#[event(topic = "orders")]
pub struct Nested {
    pub lines: Vec<Line>,
}

/// Of an attribute of serde's.
#[event(topic = "orders")]
pub struct Attributed {
    pub day: String,
}

/// Soon to be deleted.
#[event(topic = "orders")]
pub struct Deleted {
    pub day: String,
}

events_core::contracts_test!();
"#;

#[test]
fn each_change_that_tokens_cannot_show_fails_it() {
    let fixture = Fixture::single(SOURCE);
    let run = || fixture.cargo(&["test", "--quiet", "--lib"]);
    assert!(
        run().ends_with(0).out.contains("1 passed"),
        "no lock yet, and nothing to keep"
    );
    fixture.release();
    assert!(run().ends_with(0).out.contains("1 passed"));
    let whole = fixture.read("contracts/Deleted.json");

    fixture.edit(
        "src/lib.rs",
        "pub type Cents = u64",
        "pub type Cents = String",
    );
    fixture.edit(
        "src/lib.rs",
        "    pub sku: String,",
        "    pub sku: String,\n    pub pieces: u32,",
    );
    fixture.edit(
        "src/lib.rs",
        "pub struct Attributed {",
        "pub struct Attributed {\n    #[serde(with = \"days\")]\n    #[schemars(with = \"u32\")]",
    );
    let days = "mod days {\n    use serde::{Deserialize, Deserializer, Serialize, Serializer};\n\n    pub fn serialize<S: Serializer>(day: &str, to: S) -> Result<S::Ok, S::Error> {\n        day.len().serialize(to)\n    }\n\n    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {\n        u32::deserialize(from).map(|day| day.to_string())\n    }\n}\n";
    fixture.edit("src/lib.rs", "/// Soon to be deleted.\n#[event(topic = \"orders\")]\npub struct Deleted {\n    pub day: String,\n}\n", days);
    // Locks that cannot be read, of types that are gone: no macro is left to say so.
    fixture.write("contracts/Broken.json", &whole[..whole.len() / 2]);
    fixture.write("contracts/Merged.json", format!("<<<<<<< HEAD\n{whole}"));
    fixture.write(
        "contracts/Newer.json",
        whole.replace("\"format\": 1", "\"format\": 9"),
    );
    fixture.write(
        "contracts/NotUtf8.json",
        [whole.as_bytes(), b"\xff"].concat(),
    );

    fixture.cargo(&["build"]).ends_with(0);
    let said = run().ends_with(101).all();
    for line in [
        "[no-bump] Aliased: version 1 was released",
        "[type] Aliased: cents: ",
        "[required] Nested: lines[].pieces: ",
        "[type] Attributed: day: ",
        "[deleted] Deleted: no linked crate declares it any more, and contracts/Deleted.json says",
        "[unreadable-lock] contracts/Broken.json cannot be read",
        "[unreadable-lock] contracts/Merged.json holds merge markers (line 1)",
        "[unreadable-lock] contracts/Newer.json has format 9",
        "[unreadable-lock] contracts/NotUtf8.json is not UTF-8",
        "contracts_are_kept",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}

#[test]
fn a_lock_of_a_living_event_that_cannot_be_read_fails_it_too() {
    let fixture = Fixture::single(&format!(
        "{}\nevents_core::contracts_test!();\n",
        crate::fixture::ORDER
    ));
    fixture.release();
    let lock = "contracts/OrderPlaced.json";
    let whole = fixture.read(lock);
    let off = [("EVENTS_CONTRACTS", "off")];
    for (content, said) in [
        (whole.as_bytes()[..99].to_vec(), "cannot be read"),
        (
            format!("{whole}>>>>>>> theirs\n").into_bytes(),
            "merge markers",
        ),
        (
            whole.replace("\"format\": 1", "\"format\": 9").into_bytes(),
            "has format 9",
        ),
        (
            [b"\xfe", whole.as_bytes()].concat(),
            "is not UTF-8 (byte 0)",
        ),
        (
            whole.replace("OrderPlaced", "Other").into_bytes(),
            "is of the event `Other`",
        ),
    ] {
        fixture.write(lock, content);
        let ended = fixture
            .cargo_with(&["test", "--quiet", "--lib"], &off)
            .ends_with(101);
        assert!(ended.all().contains(said), "{said}: {}", ended.all());
        // The compiler says it first, unless it is kept from it.
        fixture.cargo(&["build"]).ends_with(101);
    }
    fs::remove_file(fixture.path(lock)).unwrap();
    fixture.cargo(&["test", "--quiet", "--lib"]).ends_with(0);
}
