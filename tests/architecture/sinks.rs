//! Where text from outside leaves a program: each place is listed with the function that escapes for it.

use std::fs;
use std::path::Path;

use crate::sources::{below, root};

/// Rooms that users run.
const ROOMS: &[&str] = &[
    "cargo-events",
    "events-core",
    "events-docs",
    "events-kafka",
    "events-locks",
    "events-runtime",
    "events-status",
];

/// A way out, the files that may take it, and what they escape by.
const SINKS: &[(&str, &[(&str, &str)])] = &[
    (
        // `eprintln!` ends with it.
        "println!",
        &[
            ("cargo-events/src/report.rs", "escape::text"),
            ("events-kafka/src/cli/output.rs", "escape::text"),
        ],
    ),
    (
        "print!",
        &[
            ("events-kafka/src/cli/output.rs", "escape::text"),
            // In the source of a generated program.
            ("cargo-events/src/linking.rs", "to_json"),
        ],
    ),
    (
        "stdout()",
        &[
            ("events-kafka/src/cli/output.rs", "escape::json"),
            ("cargo-events/src/main.rs", "escape::text"),
        ],
    ),
    (
        "stderr()",
        &[
            ("events-kafka/src/cli/output.rs", "escape::text"),
            // They ask whether it is a terminal.
            ("events-kafka/src/bar.rs", "is_terminal"),
            ("events-kafka/src/progress.rs", "is_terminal"),
        ],
    ),
    (
        "fs::write(",
        // Files of a generated program, whose names it makes by itself.
        &[("cargo-events/src/linking.rs", "\"Cargo.toml\"")],
    ),
    (
        "File::create",
        &[("events-locks/src/write.rs", "is_symlink")],
    ),
    (
        "OpenOptions::new()",
        &[("events-kafka/src/cli/letters/edit.rs", "create_new(true)")],
    ),
];

/// Words of commands that a person may copy. A name from outside in them is a word of a shell.
const COMMANDS: &[&str] = &[
    "--group",
    "--topic",
    "--withdraw",
    "--entity-name",
    "--allow-principal",
    "--bootstrap-server",
];

/// A source file without its tests and comments.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("Rust files are UTF-8");
    let code = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn files() -> Vec<(String, String)> {
    let sources = ROOMS
        .iter()
        .flat_map(|room| below(&root().join(room).join("src")));
    let named = sources.map(|file| {
        let name = file.strip_prefix(root()).expect("it lies below the root");
        (name.display().to_string(), code(&file))
    });
    named
        .filter(|(name, _)| !name.ends_with("tests.rs"))
        .collect()
}

#[test]
fn text_leaves_a_program_only_where_it_is_escaped() {
    let mut faults = Vec::new();
    for (name, code) in files() {
        for (sink, known) in SINKS {
            if !code.contains(sink) {
                continue;
            }
            match known.iter().find(|(file, _)| *file == name) {
                None => faults.push(format!("{name}: `{sink}`")),
                Some((_, by)) if !code.contains(by) => {
                    faults.push(format!("{name}: `{sink}` without `{by}`"));
                }
                Some(_) => {}
            }
        }
    }
    assert!(
        faults.is_empty(),
        "\n  {}\nprint by events-kafka/src/cli/output.rs or cargo-events/src/report.rs, write files by \
         events_locks::replace with a name of escape::file_name; a new way out is listed in {}\n",
        faults.join("\n  "),
        file!()
    );
}

#[test]
fn names_in_suggested_commands_are_words_of_a_shell() {
    let mut faults = Vec::new();
    for (name, code) in files() {
        for word in COMMANDS {
            for (at, _) in code.match_indices(word) {
                let rest = code[at + word.len()..].trim_start_matches([' ', '=']);
                // The function stands among the arguments, right behind the text.
                let near: String = rest.chars().take(600).collect();
                let interpolated = rest.starts_with('{');
                let inline =
                    interpolated && !rest.starts_with("{}") && !rest.starts_with("{TOPIC}");
                let quoted = rest.starts_with("'{");
                if inline || quoted || (interpolated && !near.contains("shell(")) {
                    let line = code[..at].lines().count();
                    faults.push(format!("{name}, near line {line} of its code: `{word}`"));
                }
            }
        }
    }
    assert!(
        faults.is_empty(),
        "\n  {}\ngive the word through events_core::escape::shell\n",
        faults.join("\n  ")
    );
}
