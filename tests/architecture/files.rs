//! Files are nouns of the domain, and small.

use std::fs;

use crate::sources::{below, root};
use crate::table::ROOMS;

const MOST_LINES: usize = 400;

/// Names that say nothing about the domain, so that anything ends up there.
const DRAWERS: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc"];

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    let mut faults = Vec::new();
    for file in below(&root()) {
        let lines = fs::read_to_string(&file)
            .expect("Rust files are UTF-8")
            .lines()
            .count();
        if lines > MOST_LINES {
            faults.push(format!("{}: {lines} lines", file.display()));
        }
    }
    assert!(
        faults.is_empty(),
        "\n  {}\na file has at most {MOST_LINES} lines, better 100 to 200: split it by the nouns in it\n",
        faults.join("\n  ")
    );
}

#[test]
fn no_file_is_a_drawer() {
    let is_drawer = |file: &std::path::PathBuf| {
        // A module may be a file or a directory with `mod.rs`; both have a name that can say nothing.
        let inside = file
            .strip_prefix(root())
            .expect("it was found below the root")
            .with_extension("");
        inside
            .iter()
            .any(|part| DRAWERS.iter().any(|drawer| part == *drawer))
    };
    let faults: Vec<_> = below(&root()).into_iter().filter(is_drawer).collect();
    assert!(
        faults.is_empty(),
        "{faults:?}: name each file after the one thing it is about"
    );
}

#[test]
fn rooms_do_not_name_what_no_dependency_line_can_forbid() {
    let mut faults = Vec::new();
    for room in ROOMS {
        for file in below(&root().join(room.name).join("src")) {
            let text = fs::read_to_string(&file).expect("Rust files are UTF-8");
            for (number, line) in text
                .lines()
                .enumerate()
                .filter(|(_, line)| !line.trim_start().starts_with("//"))
            {
                for (word, why) in room.words.iter().filter(|(word, _)| line.contains(word)) {
                    faults.push(format!(
                        "{}:{}: `{word}`: {why}",
                        file.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n  {}\n", faults.join("\n  "));
}
