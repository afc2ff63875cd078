//! `docs/changing-an-event.md`, and the README in short, show what the compiler and the commands really say.
//!
//! `WALK=overwrite cargo test -p cargo-events --test contracts walk` writes them anew: read what changed.

use std::fs;
use std::path::Path;

use crate::fixture::{Fixture, ORDER};

/// What stands on the page, in this order: the name of each step, and what was said.
fn steps() -> Vec<(&'static str, String)> {
    let fixture = Fixture::single(&format!("{ORDER}\nevents_core::contracts_test!();\n"));
    let source = "src/lib.rs";
    let compiler = || diagnostics(&fixture.cargo(&["build", "--quiet"]).ends_with(101).err);
    let mut steps = vec![("first-lock", fixture.contracts(&["lock"]).ends_with(0).out)];
    steps.push((
        "first-release",
        fixture.contracts(&["release"]).ends_with(0).out,
    ));

    let coupon = "    pub amount_cents: u64,\n    pub coupon: Option<String>,";
    fixture.edit(source, "    pub amount_cents: u64,", coupon);
    steps.push(("unbumped", compiler()));
    fixture.edit(source, "key = order_id)", "key = order_id, version = 2)");
    fixture.edit(
        source,
        "    pub coupon",
        "    #[event(since = 2)]\n    pub coupon",
    );
    fixture.cargo(&["build", "--quiet"]).ends_with(0);
    steps.push((
        "second-check",
        fixture.contracts(&["check"]).ends_with(0).out,
    ));
    fixture.release();

    let (typed, alias) = ("amount_cents: u64", "amount_cents: Amount");
    fixture.edit(source, typed, "amount_cents: String");
    fixture.edit(source, "version = 2", "version = 3");
    steps.push(("breaking", compiler()));
    fixture.edit(source, "amount_cents: String", alias);
    fixture.edit(
        source,
        "/// An order was",
        "pub type Amount = String;\n\n/// An order was",
    );
    fixture.cargo(&["build", "--quiet"]).ends_with(0);
    steps.push((
        "breaking-check",
        fixture.contracts(&["check"]).ends_with(1).out,
    ));
    let said = fixture
        .cargo(&["test", "--quiet", "--lib"])
        .ends_with(101)
        .all();
    assert!(said.contains("[type] OrderPlaced: amount_cents"), "{said}");
    steps
}

/// Without cargo's own last lines.
fn diagnostics(said: &str) -> String {
    let own = said.find("error: could not compile").unwrap_or(said.len());
    format!("{}\n", said[..own].trim_end())
}

/// The pages, and the steps that each shows.
const PAGES: [(&str, &[&str]); 2] = [
    (
        "docs/changing-an-event.md",
        &[
            "first-lock",
            "first-release",
            "unbumped",
            "second-check",
            "breaking",
            "breaking-check",
        ],
    ),
    ("README.md", &["unbumped", "breaking"]),
];

#[test]
fn the_pages_show_what_is_really_said() {
    let overwrite = std::env::var_os("WALK").is_some_and(|word| word == "overwrite");
    let steps = steps();
    for (page, shown) in PAGES {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(page);
        let mut text = fs::read_to_string(&page).unwrap();
        for name in shown {
            let (_, said) = steps.iter().find(|(step, _)| step == name).unwrap();
            let mark = format!("<!-- {name} -->\n```text\n");
            let start = text
                .find(&mark)
                .unwrap_or_else(|| panic!("{} lacks {mark}", page.display()))
                + mark.len();
            let end = start + text[start..].find("```").unwrap();
            if overwrite {
                text.replace_range(start..end, said);
            } else {
                assert_eq!(&text[start..end], said, "{name}, in {}", page.display());
            }
        }
        if overwrite {
            fs::write(page, text).unwrap();
        }
    }
}
