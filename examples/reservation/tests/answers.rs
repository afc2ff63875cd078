//! Runs the example as a user does.

use std::process::Command;

#[test]
fn each_caller_is_answered() {
    let output = Command::new(env!("CARGO_BIN_EXE_reservation"))
        .env_remove("KAFKA_BOOTSTRAP_SERVERS")
        .output()
        .expect("it runs");
    let said = String::from_utf8(output.stdout).expect("it speaks UTF-8");
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "Ada: table 7\nGrace: no table is large enough\n");
}

/// The page shows code that compiles.
#[test]
fn the_page_on_commands_shows_this_code() {
    let page = include_str!("../../../docs/commands.md");
    let code = include_str!("../src/main.rs");
    let blocks = page.split("```rust\n").skip(1);
    let blocks: Vec<_> = blocks
        .filter_map(|block| block.split("```").next())
        .collect();
    assert!(blocks.len() >= 2, "the page shows the command and the edge");
    for block in blocks {
        assert!(code.contains(block), "not in the example:\n{block}");
    }
}
