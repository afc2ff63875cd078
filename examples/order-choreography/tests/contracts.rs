//! `contracts` of a real service: its binary writes, releases and checks the locks of the events that it links.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A workspace with a crate of the contract crate's name, which is all that the binary asks cargo for.
struct Workspace(PathBuf);

impl Workspace {
    fn new(name: &str) -> Self {
        let root =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let workspace = Self(root);
        workspace.write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"order-contracts\"]\n",
        );
        workspace.write(
            "order-contracts/Cargo.toml",
            "[package]\nname = \"order-contracts\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        );
        workspace.write("order-contracts/src/lib.rs", "");
        workspace
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        let directory = path.parent().expect("a file lies in a directory");
        fs::create_dir_all(directory).expect("the directory is made");
        fs::write(path, text).expect("the file is written");
    }

    fn lock(&self, event: &str) -> PathBuf {
        self.0
            .join(format!("order-contracts/contracts/{event}.json"))
    }

    /// Status, what is printed, and what is logged.
    fn contracts(&self, words: &[&str]) -> (i32, String, String) {
        contracts(&self.0, words)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // It lies below the target directory: what stays does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn contracts(directory: &Path, words: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_order-choreography"))
        .arg("contracts")
        .args(words)
        .current_dir(directory)
        .env("CARGO_NET_OFFLINE", "true")
        .output()
        .expect("the service runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let status = output.status.code().expect("it was not killed");
    (status, text(output.stdout), text(output.stderr))
}

fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../order-contracts/contracts")
}

#[test]
fn a_service_locks_releases_and_checks_its_events() {
    let workspace = Workspace::new("release");
    let (status, said, _) = workspace.contracts(&["check"]);
    assert!(
        status == 0 && said.contains("[no-lock] OrderPlaced") && said.contains("contracts lock"),
        "{said}"
    );
    let (status, said, log) = workspace.contracts(&["lock"]);
    assert!(
        status == 0 && said.contains("7 created, 0 updated, 0 unchanged"),
        "{said}{log}"
    );
    let (status, said, _) = workspace.contracts(&["release", "OrderShipped", "--json"]);
    let report: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(
        (status, &report["locks"][0]["event"]),
        (0, &"OrderShipped".into()),
        "{said}"
    );
    let (status, said, _) = workspace.contracts(&["release"]);
    assert!(
        status == 0 && said.contains("6 released, of 7 events"),
        "{said}"
    );
    // What a service writes is what stands in the repository, byte for byte.
    for lock in fs::read_dir(committed()).expect("the locks of the example") {
        let lock = lock.expect("an entry").path();
        let event = lock
            .file_stem()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let written = fs::read_to_string(workspace.lock(&event)).expect("it was written");
        assert!(
            written == fs::read_to_string(&lock).expect("UTF-8"),
            "{event}"
        );
    }
    let (status, said, _) = workspace.contracts(&["check", "--deny-warnings"]);
    assert!(
        status == 0 && said.contains("7 events: 0 errors, 0 warnings, 0 notes"),
        "{said}"
    );
}

#[test]
fn a_service_says_what_breaks_a_released_event() {
    let workspace = Workspace::new("broken");
    for words in [["lock"], ["release"]] {
        assert_eq!(workspace.contracts(&words).0, 0);
    }
    let lock = workspace.lock("OrderShipped");
    let text = fs::read_to_string(&lock).expect("UTF-8");
    // An event that was released and that nobody declares any more, and a lock that somebody edited.
    let lost = text.replace("OrderShipped", "OrderLost");
    fs::write(workspace.lock("OrderLost"), lost).expect("it is written");
    fs::write(&lock, text.replace("\"cds\"", "\"records\"")).expect("it is written");
    let (status, said, log) = workspace.contracts(&["check", "--json"]);
    let report: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((status, &report["status"]), (1, &1.into()), "{said}");
    let findings = report["findings"].as_array().expect("a list").iter();
    let mut told: Vec<_> = findings
        .map(|finding| (finding["code"].as_str(), finding["event"].as_str()))
        .collect();
    told.sort();
    let expected = [
        (Some("deleted"), Some("OrderLost")),
        (Some("unreadable-lock"), Some("OrderShipped")),
    ];
    assert_eq!(told, expected, "{said}");
    assert!(log.contains("the contract locks are not kept"), "{log}");
    // Nothing is released over what is broken.
    let before = fs::read(&lock).expect("it is there");
    assert_eq!(workspace.contracts(&["release"]).0, 1);
    assert_eq!(fs::read(&lock).expect("it is there"), before);
}

#[test]
fn the_locks_of_the_example_are_kept() {
    let (status, said, log) = contracts(Path::new(env!("CARGO_MANIFEST_DIR")), &["check"]);
    assert!(
        status == 0 && said.contains("7 events: 0 errors, 0 warnings"),
        "{said}{log}"
    );
}

#[test]
fn where_no_event_is_declared_nothing_is_done() {
    let workspace = Workspace::new("elsewhere");
    workspace.write(
        "order-contracts/Cargo.toml",
        "[package]\nname = \"others\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    let (status, said, log) = workspace.contracts(&["lock"]);
    assert!(status == 2 && said.is_empty(), "{status} {said}");
    assert!(
        log.contains("declares none of the") || log.contains("none of"),
        "{log}"
    );
    assert!(!workspace.lock("OrderShipped").exists());
}
