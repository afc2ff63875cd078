//! `cargo events graph`, as a process sees it.

use std::fs;
use std::path::Path;
use std::process::Command;

const ORDERS: &str = r#"{ "manifest": 1, "service": "orders", "publishes": ["Placed"],
    "events": [{ "name": "Placed", "version": 1, "topic": "orders" }] }"#;
const SILENT: &str = r#"{ "manifest": 1, "service": "orders" }"#;
const SHIPPING: &str = r#"{ "manifest": 1, "service": "shipping",
    "handlers": [{ "handler": "ship", "takes": ["Placed"], "location": "src/ship.rs:12" }],
    "events": [{ "name": "Placed", "version": 1, "topic": "orders" }] }"#;
const PACKING: &str = r#"{ "manifest": 1, "service": "packing",
    "handlers": [{ "handler": "pack", "takes": ["Placed"], "emits": ["Packed", "Missing"], "failures": ["Missing"] }],
    "events": [{ "name": "Packed", "version": 1, "topic": "parcels" }, { "name": "Missing", "version": 1, "topic": "parcels" }] }"#;

/// Status, standard output, standard error.
fn run(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-events"))
        .current_dir(directory)
        .args(["events", "graph"])
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn files() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("orders", ORDERS),
        ("silent", SILENT),
        ("shipping", SHIPPING),
        ("packing", PACKING),
    ] {
        fs::write(directory.path().join(format!("{name}.json")), text).unwrap();
    }
    directory
}

#[test]
fn a_sound_company_is_drawn() {
    let directory = files();
    let both = ["orders.json", "shipping.json"];
    let tree = "Placed  [orders]\n  └─ shipping/ship\n".to_owned();
    assert_eq!(run(directory.path(), &both), (0, tree, String::new()));
    for (format, start) in [
        ("mermaid", "flowchart"),
        ("dot", "digraph"),
        ("json", "{"),
        ("svg", "<svg "),
        ("html", "<!doctype html>"),
        ("asyncapi", "{\n  \"asyncapi\": \"3.0.0\""),
        ("github", ""),
    ] {
        let (status, out, _) = run(
            directory.path(),
            &[&both[..], &["--format", format]].concat(),
        );
        assert!(status == 0 && out.starts_with(start), "{format}: {out}");
    }
}

#[test]
fn findings_have_a_status_and_forms_for_machines() {
    let directory = files();
    let alone = ["shipping.json"];
    let (status, _, said) = run(directory.path(), &alone);
    assert!(
        status == 1 && said.starts_with("error: [unfed-handler]") && said.contains("remedy: "),
        "{said}"
    );
    let (status, ..) = run(directory.path(), &["shipping.json", "--entry", "Placed"]);
    assert_eq!(status, 0);
    let (status, _, said) = run(directory.path(), &["shipping.json", "--partial"]);
    assert!(
        status == 0 && said.starts_with("warning: [unfed-handler]"),
        "{said}"
    );
    let (status, sarif, _) = run(directory.path(), &["shipping.json", "--format", "sarif"]);
    assert!(
        status == 1 && sarif.contains("\"startLine\": 12") && sarif.contains("2.1.0"),
        "{sarif}"
    );
    let (_, github, _) = run(directory.path(), &["shipping.json", "--format", "github"]);
    assert!(
        github.starts_with("::error file=src/ship.rs,line=12,title=unfed-handler::"),
        "{github}"
    );
    assert_eq!(run(directory.path(), &["orders.json"]).0, 0);
    assert_eq!(
        run(directory.path(), &["orders.json", "--deny-warnings"]).0,
        1
    );
}

#[test]
fn a_failure_that_nobody_handles_is_an_error_and_every_picture_shows_it() {
    let directory = files();
    let drawn = |format: &str| {
        let files = ["orders.json", "packing.json", "--format", format];
        let (status, out, said) = run(directory.path(), &files);
        let told = if format == "json" { &out } else { &said };
        let error = "nobody handles `Missing`, by which `packing/pack` tells of a failure";
        assert!(status == 1 && told.contains(error), "{format}: {told}");
        out
    };
    // Without colour: by words, and by dashed lines.
    for (format, failure) in [
        ("text", "Missing  [parcels]  ✗ failure\n"),
        ("mermaid", "_pack -. failure .-> event_Missing\n"),
        ("dot", " [style=dashed, label=\"failure\"];\n"),
        ("json", "\"failures\": [\n          \"Missing\"\n        ]"),
        ("svg", "event Missing, failure · parcels · v1, published by"),
        ("svg", ">failure · parcels · v1</text>"),
        ("svg", "<path class=\"link failure\" "),
        (
            "svg",
            "\n.link.failure { stroke: var(--failure); stroke-dasharray: ",
        ),
        ("html", ">failure · parcels · v1</text>"),
        ("html", "<path class=\"link failure\" "),
    ] {
        let out = drawn(format);
        assert_eq!(out.matches(failure).count(), 1, "{format}: {out}");
    }
}

#[test]
fn a_baseline_names_whom_a_removal_breaks() {
    let directory = files();
    let (status, _, said) = run(
        directory.path(),
        &[
            "silent.json",
            "shipping.json",
            "--baseline",
            "orders.json",
            "--baseline",
            "shipping.json",
        ],
    );
    assert_eq!(status, 1);
    assert!(
        said.contains("this removal breaks `shipping/ship`"),
        "{said}"
    );
}

#[test]
fn unreadable_manifests_are_all_named() {
    let directory = files();
    fs::write(directory.path().join("broken.json"), b"{").unwrap();
    let (status, _, said) = run(directory.path(), &["broken.json", "nowhere.json"]);
    assert_eq!(status, 2);
    assert!(
        said.contains("broken.json is not JSON") && said.contains("cannot read nowhere.json"),
        "{said}"
    );
}

#[test]
fn a_page_says_what_the_check_found() {
    let directory = files();
    let (status, page, said) = run(directory.path(), &["shipping.json", "--format", "html"]);
    assert!(
        status == 1 && said.starts_with("error: [unfed-handler]"),
        "{said}"
    );
    assert!(page.contains("\"code\":\"unfed-handler\"") && page.contains("class=\"mark error\""));
    let (_, again, _) = run(directory.path(), &["shipping.json", "--format", "html"]);
    assert!(page == again, "the same manifests make the same bytes");
    let release = [
        "shipping.json",
        "--format",
        "asyncapi",
        "--release",
        "2.1.0",
    ];
    let (_, document, _) = run(directory.path(), &release);
    assert!(document.contains("\"version\": \"2.1.0\""), "{document}");
}

/// A name in a manifest, which others write.
const HOSTILE: &str =
    "A\n::error file=src/lib.rs,line=1::injected\r\u{1b}[31m\u{202e}##[error]x'; touch y; '\"><b>";

#[test]
fn names_of_others_are_escaped_in_every_format() {
    let directory = tempfile::tempdir().unwrap();
    let hostile = |name: &str| format!("{name}{HOSTILE}");
    let manifest = serde_json::json!({
        "manifest": 1, "service": hostile("::warning::"), "publishes": [HOSTILE],
        "events": [
            { "name": HOSTILE, "version": 1, "topic": hostile("t"), "owner": hostile("o"), "deprecated": HOSTILE },
            { "name": hostile("::debug::"), "version": 1, "topic": hostile("t") },
        ],
        "handlers": [{
            "handler": hostile("h"), "takes": [hostile("::debug::"), HOSTILE], "emits": [HOSTILE],
            "failures": [HOSTILE], "location": format!("{HOSTILE}:1"), "doc": HOSTILE,
        }],
    });
    fs::write(directory.path().join("m.json"), manifest.to_string()).unwrap();
    let broken = format!("{{\"manifest\": {HOSTILE}");
    fs::write(directory.path().join("broken.json"), broken).unwrap();
    let formats = [
        "text", "mermaid", "dot", "svg", "html", "asyncapi", "json", "sarif", "github",
    ];
    let runs = formats.map(|format| (format, "m.json")).into_iter();
    for (format, file) in runs.chain([("text", "broken.json")]) {
        let (_, out, said) = run(directory.path(), &[file, "--format", format]);
        for text in [&out, &said] {
            let hidden = |character: &char| {
                events_core::escape::is_hidden(*character) && !"\n\t".contains(*character)
            };
            assert_eq!(text.chars().find(hidden), None, "{format}: {text}");
            for line in text.lines() {
                let is_injected = line.trim_start().starts_with("::") && line.contains("injected");
                // The commands of GitHub are ours: the name stands within one.
                let ours = format == "github" && line.contains("title=");
                assert!(!is_injected || ours, "{format}: {line}");
                assert!(!line.contains("##["), "{format}: {line}");
            }
        }
        assert!(
            !out.contains("<b>")
                || ["json", "sarif", "asyncapi", "dot", "text", "github"].contains(&format),
            "{format}: {out}"
        );
    }
}
