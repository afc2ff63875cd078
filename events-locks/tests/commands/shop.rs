//! A workspace with two crates, and the events that a build of it declares.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use events_core::contract::{Contract, Declaration, FieldTokens, Version};
use events_locks::{ContractsCommand, Linked, LocksError, Outcome, Shelves};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

pub(crate) struct Shop(TempDir);

impl Shop {
    pub(crate) fn open() -> Self {
        let shop = Self(tempfile::tempdir().unwrap());
        shop.write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"orders\", \"stock\"]\n",
        );
        for name in ["orders", "stock"] {
            let manifest =
                format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
            shop.write(&format!("{name}/Cargo.toml"), &manifest);
            shop.write(&format!("{name}/src/lib.rs"), "");
        }
        shop
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    pub(crate) fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    pub(crate) fn contract(&self, file: &str) -> Contract {
        Contract::read(file, self.read(file).as_bytes()).unwrap()
    }

    /// Files of the workspace but those of git, from its directory.
    pub(crate) fn files(&self, directory: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(directory)).into_iter().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn run(
        &self,
        command: &ContractsCommand,
        declared: &[Declaration],
    ) -> Result<Outcome, LocksError> {
        let linked = Linked {
            packages: Vec::new(),
            all: true,
        };
        self.run_linked(command, declared, &linked)
    }

    pub(crate) fn run_linked(
        &self,
        command: &ContractsCommand,
        declared: &[Declaration],
        linked: &Linked,
    ) -> Result<Outcome, LocksError> {
        let shelves = Shelves::open(self.0.path(), declared.to_vec())?;
        events_locks::run_on(command, &shelves, linked)
    }

    /// Locks and releases.
    pub(crate) fn release(&self, declared: &[Declaration]) {
        for command in [ContractsCommand::Lock, release(&[])] {
            let outcome = self.run(&command, declared).unwrap();
            assert_eq!(outcome.status(), 0, "{}", outcome.to_text());
        }
    }

    pub(crate) fn git(&self, words: &[&str]) {
        let output = Command::new("git")
            .args(["-c", "user.name=shop", "-c", "user.email=shop@localhost"])
            .args([
                "-c",
                "init.defaultBranch=main",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(words)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {words:?}: {said}");
    }

    pub(crate) fn commit(&self) {
        self.git(&["init", "--quiet"]);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "as it is"]);
    }
}

/// An event of the crate `orders`: fields with their types in JSON Schema, `?` behind the name of an optional one.
pub(crate) fn event(name: &str, version: u32, fields: &[(&str, &str)]) -> Declaration {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut tokens = Vec::new();
    for (name, ty) in fields {
        let plain = name.trim_end_matches('?');
        properties.insert(plain.to_owned(), json!({ "type": ty }));
        if plain == *name {
            required.push(Value::from(plain));
        }
        tokens.push(FieldTokens {
            name: plain.to_owned(),
            ty: (*ty).to_owned(),
            required: plain == *name,
            default: None,
            upcast_since: None,
        });
    }
    tokens.sort();
    Declaration {
        event: name.to_owned(),
        package: "orders".to_owned(),
        location: "orders/src/lib.rs:7".to_owned(),
        lock: None,
        compared: true,
        written: Version {
            version,
            released: false,
            fields: tokens,
            schema: json!({ "type": "object", "properties": properties, "required": required }),
        },
    }
}

/// The event of most tests.
pub(crate) fn placed() -> Declaration {
    event("Placed", 1, &[("id", "string"), ("cents", "integer")])
}

pub(crate) fn release(names: &[&str]) -> ContractsCommand {
    ContractsCommand::Release {
        events: names.iter().map(|name| (*name).to_owned()).collect(),
    }
}

pub(crate) fn check() -> ContractsCommand {
    ContractsCommand::Check {
        against: None,
        retired: Vec::new(),
        deny_warnings: false,
    }
}

pub(crate) fn against(revision: &str, retired: &[&str]) -> ContractsCommand {
    ContractsCommand::Check {
        against: Some(revision.to_owned()),
        retired: retired.iter().map(|name| (*name).to_owned()).collect(),
        deny_warnings: false,
    }
}

/// The codes of what was found, sorted.
pub(crate) fn codes(outcome: &Outcome) -> Vec<&'static str> {
    let mut codes: Vec<_> = outcome
        .findings()
        .iter()
        .map(|found| found.fault.code)
        .collect();
    codes.sort_unstable();
    codes
}
