//! A workspace of its own, with contract crates in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

pub(crate) struct Fixture(TempDir);

/// How a process ended.
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            status: output.status.code().unwrap(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    #[track_caller]
    pub(crate) fn ends_with(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{}{}", self.out, self.err);
        self
    }
}

impl Fixture {
    /// A crate called `shop-contracts` that is its own workspace.
    pub(crate) fn single(source: &str) -> Self {
        let fixture = Self::empty();
        fixture.add_crate("", "shop-contracts", "[workspace]\n", source);
        fixture
    }

    pub(crate) fn empty() -> Self {
        let fixture = Self(tempfile::tempdir().unwrap());
        // The versions that are downloaded already.
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
        fs::copy(lock, fixture.path("Cargo.lock")).unwrap();
        fixture
    }

    pub(crate) fn add_crate(&self, directory: &str, name: &str, more: &str, source: &str) {
        let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events-core");
        let core = core.canonicalize().unwrap();
        let version = next_version();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\ndescription = \"Events\"\nlicense = \"MIT\"\n\n[dependencies]\nevents-core = {{ path = {core:?}, version = \"0.1.0\" }}\nserde = \"1\"\nschemars = \"1\"\n\n{more}"
        );
        let inside = |file: &str| match directory {
            "" => file.to_owned(),
            directory => format!("{directory}/{file}"),
        };
        self.write(&inside("Cargo.toml"), manifest);
        self.write(&inside("src/lib.rs"), source);
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

    /// Changes a text in a file, where it must stand.
    #[track_caller]
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{from} in {text}");
        self.write(file, text.replace(from, to));
    }

    pub(crate) fn cargo(&self, words: &[&str]) -> Ended {
        self.cargo_with(words, &[])
    }

    pub(crate) fn cargo_with(&self, words: &[&str], variables: &[(&str, &str)]) -> Ended {
        let mut command = Command::new(env!("CARGO"));
        command.args(words).envs(variables.iter().copied());
        self.run(command)
    }

    /// `cargo events contracts …`.
    pub(crate) fn contracts(&self, words: &[&str]) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-events"));
        command.args(["events", "contracts"]).args(words);
        self.run(command)
    }

    fn run(&self, mut command: Command) -> Ended {
        command
            .current_dir(self.0.path())
            // One for all, so that what they share is compiled once.
            .env("CARGO_TARGET_DIR", target())
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TERM_COLOR", "never")
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        Ended::of(command.output().unwrap())
    }

    /// Locks and releases what the crates declare.
    #[track_caller]
    pub(crate) fn release(&self) {
        self.contracts(&["lock"]).ends_with(0);
        self.contracts(&["release"]).ends_with(0);
    }
}

/// To cargo, packages that are the root of their workspace are the same one if their names and versions are, wherever they
/// lie: in the shared target directory one would take another's artifacts for its own.
fn next_version() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("0.1.{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("contracts")
}

/// An order, in its first version.
pub(crate) const ORDER: &str = r#"use events_core::event;

/// An order was accepted.
#[event(topic = "orders", key = order_id)]
pub struct OrderPlaced {
    pub order_id: String,
    pub amount_cents: u64,
}
"#;
