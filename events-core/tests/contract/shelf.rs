//! What the generated test says of locks whose event is gone.

use std::fs;
use std::path::{Path, PathBuf};

use events_core::contract::{Contract, Version, file_name, keep, lock_directories};
use serde_json::json;

/// A crate's directory; the crate declares nothing that is linked here.
struct Crate(PathBuf);

impl Crate {
    fn new(name: &str, manifest: &str) -> Self {
        let directory =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let it = Self(directory);
        it.write("Cargo.toml", manifest);
        it
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn release(&self, event: &str) {
        let mut contract = Contract::new(event);
        contract.draft(Version {
            version: 1,
            released: false,
            fields: Vec::new(),
            schema: json!({ "type": "object" }),
        });
        contract.release();
        self.write(
            &format!("contracts/{}", file_name(event)),
            &contract.write(),
        );
    }

    fn keep(&self) -> Result<(), String> {
        keep(self.0.to_str().unwrap(), "nobody")
    }
}

impl Drop for Crate {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

const MEMBERS: &str = "[workspace]\nmembers = [\"stock\"]\n\n[package]\nname = \"nobody\"\n";

#[test]
fn a_workspace_is_known_however_its_table_is_written() {
    for top in [
        "[workspace]\nmembers = [\"a\"]\n",
        "[workspace] # every crate\nmembers = [\"a\"]\n",
        "[package]\nname = \"top\"\n\n[workspace.package]\nedition = \"2024\"\n",
    ] {
        let workspace = Crate::new("workspace", top);
        let inside = workspace.0.join("a");
        workspace.write("a/Cargo.toml", "[package]\nname = \"a\"\n");
        let all = [inside.join("contracts"), workspace.0.join("contracts")];
        assert_eq!(lock_directories(&inside), all, "{top}");
    }
}

#[test]
fn a_deleted_event_is_named() {
    let alone = Crate::new("alone", "[workspace]\n\n[package]\nname = \"nobody\"\n");
    alone.keep().unwrap();
    alone.release("OrderPlaced");
    // A source that still names it does not declare it: all events of the crate are linked.
    alone.write("src/lib.rs", "pub struct OrderPlaced;");
    let said = alone.keep().unwrap_err();
    assert!(
        said.contains("[deleted] OrderPlaced: no linked crate declares it"),
        "{said}"
    );
}

#[test]
fn beside_members_what_no_source_names_is_deleted() {
    let top = Crate::new("top", MEMBERS);
    for event in ["OrderPlaced", "order.placed", "stock/Reserved"] {
        top.release(event);
    }
    top.write(
        "stock/src/lib.rs",
        "#[event(topic = \"t\", name = \"stock/Reserved\")] struct Reserved {}",
    );
    top.write("src/lib.rs", "struct OrderPlacedLate; // border.placed");
    top.write("target/debug/out.rs", "struct OrderPlaced;");
    top.write(".cargo/x.rs", "struct OrderPlaced;");
    top.write("notes.txt", "OrderPlaced");
    let said = top.keep().unwrap_err();
    for event in ["OrderPlaced", "order.placed"] {
        assert!(said.contains(&format!("[deleted] {event}: ")), "{said}");
    }
    assert!(!said.contains("stock/Reserved"), "{said}");
    top.write("stock/src/deep/er/mod.rs", "struct OrderPlaced { }");
    top.write("stock/src/other.rs", "name = \"order.placed\"");
    top.keep().unwrap();
    top.write("contracts/Broken.json", "{");
    let said = top.keep().unwrap_err();
    assert!(
        said.contains("contracts/Broken.json cannot be read"),
        "{said}"
    );
}
