//! A program that links a workspace's libraries, and so knows their events.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use events_core::stable_hash;
use events_locks::Linked;

use crate::arguments::Features;
use crate::contracts::chain;
use crate::manifest;

/// Whoever declares events depends on one of these.
const FRAMEWORK: [&str; 2] = ["events-core", "events-kafka"];

/// Libraries of the workspace that may declare events.
pub(crate) struct Libraries {
    metadata: Metadata,
    chosen: Vec<Package>,
    /// Packages that may declare events, and have no library.
    without: Vec<String>,
    all: bool,
    /// Of the generated program.
    manifest: String,
}

impl Libraries {
    /// Those that are named; else that of the current directory, or all.
    pub(crate) fn find(names: &[String], features: &Features) -> Result<Self, String> {
        // The program runs here: packages of other platforms need not be downloaded, which matters offline.
        let host = ["--filter-platform", "host-tuple"].map(str::to_owned);
        let metadata = MetadataCommand::new().other_options(host).exec();
        let metadata = metadata.map_err(|error| chain(&error))?;
        let members = metadata.workspace_packages();
        for name in names {
            if !members.iter().any(|package| *package.name == *name) {
                let known: Vec<_> = members
                    .iter()
                    .map(|package| package.name.as_str())
                    .collect();
                return Err(format!(
                    "this workspace has no package `{name}`; it has {}",
                    known.join(", ")
                ));
            }
        }
        let here = here(&metadata);
        let is_chosen = |package: &Package| match (names, &here) {
            ([], None) => true,
            ([], Some(here)) => *package.name == *here,
            (names, _) => names.iter().any(|name| *package.name == *name),
        };
        let users = members.iter().filter(uses_events);
        let (chosen, others): (Vec<&Package>, Vec<_>) =
            users.copied().partition(|package| is_chosen(package));
        let (chosen, without): (Vec<_>, Vec<_>) = chosen
            .into_iter()
            .partition(|package| library(package).is_some());
        let without: Vec<_> = without
            .iter()
            .map(|package| package.name.to_string())
            .collect();
        if chosen.is_empty() {
            return Err(nothing(&without));
        }
        let all = others.is_empty() && without.is_empty();
        let chosen: Vec<_> = chosen.into_iter().cloned().collect();
        let manifest = manifest::text(&name(&chosen), &metadata, &chosen, features)?;
        Ok(Self {
            all,
            chosen,
            without,
            metadata,
            manifest,
        })
    }

    pub(crate) fn without(&self) -> &[String] {
        &self.without
    }

    pub(crate) fn linked(&self) -> Linked {
        let packages = self.chosen.iter().map(|package| package.name.to_string());
        Linked {
            packages: packages.collect(),
            all: self.all,
        }
    }

    /// Builds the program, runs it, and returns what it says.
    pub(crate) fn ask(&self) -> Result<String, String> {
        let target = self.metadata.target_directory.as_std_path();
        let directory = target.join("events").join(name(&self.chosen));
        self.generate(&directory)
            .map_err(|error| format!("cannot write {}: {error}", directory.display()))?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["run", "--quiet", "--manifest-path"])
            .arg(directory.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(target)
            .current_dir(&self.metadata.workspace_root)
            // What does not fit its lock builds too, so that the command can say why it does not fit.
            .env("EVENTS_CONTRACTS", "off")
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("cannot run cargo: {error}"))?;
        if !output.status.success() {
            let names: Vec<_> = self
                .chosen
                .iter()
                .map(|package| package.name.as_str())
                .collect();
            return Err(format!(
                "the program that links {} does not build or run; what cargo says stands above",
                names.join(", ")
            ));
        }
        String::from_utf8(output.stdout).map_err(|_| "the program's answer is not UTF-8".to_owned())
    }

    fn generate(&self, directory: &Path) -> std::io::Result<()> {
        fs::create_dir_all(directory.join("src"))?;
        fs::write(directory.join("Cargo.toml"), &self.manifest)?;
        fs::write(directory.join("src").join("main.rs"), self.main())?;
        // The same versions of everything, so that no network is needed.
        let locked = self
            .metadata
            .workspace_root
            .as_std_path()
            .join("Cargo.lock");
        fs::copy(locked, directory.join("Cargo.lock")).map(|_| ())
    }

    fn main(&self) -> String {
        let mut text = String::from(
            "//! Says which events are linked.\n\nuse events_core::contract::Declaration;\n",
        );
        for name in self.chosen.iter().filter_map(library) {
            let written = writeln!(text, "use ::{name} as _;");
            debug_assert!(written.is_ok(), "a string takes everything");
        }
        text + "\nfn main() {\n    print!(\"{}\", Declaration::to_json(&Declaration::linked()));\n}\n"
    }
}

/// Of these crates alone: workspaces may share a target directory, and be asked at the same time.
fn name(chosen: &[Package]) -> String {
    let manifests = chosen.iter().map(|package| package.manifest_path.as_str());
    let all: Vec<_> = manifests.collect();
    format!("contracts-{:08x}", stable_hash(&all.join("\n")))
}

fn uses_events(package: &&&Package) -> bool {
    let mut dependencies = package.dependencies.iter();
    dependencies.any(|dependency| {
        dependency.kind == DependencyKind::Normal && FRAMEWORK.contains(&dependency.name.as_str())
    })
}

/// The name of its library in Rust.
fn library(package: &Package) -> Option<String> {
    let target = package
        .targets
        .iter()
        .find(|target| target.is_lib() || target.is_rlib())?;
    Some(target.name.replace('-', "_"))
}

/// The package whose directory is the current one, or lies above it; none at the workspace's top.
fn here(metadata: &Metadata) -> Option<String> {
    let here = std::env::current_dir().ok()?.canonicalize().ok()?;
    let directory = |package: &Package| -> Option<PathBuf> {
        let manifest = package.manifest_path.as_std_path();
        manifest.parent()?.canonicalize().ok()
    };
    let members = metadata.workspace_packages();
    let within = members
        .iter()
        .filter_map(|package| Some((directory(package)?, package.name.to_string())))
        .filter(|(directory, _)| here.starts_with(directory));
    let (nearest, name) = within.max_by_key(|(directory, _)| directory.as_os_str().len())?;
    let top = metadata.workspace_root.as_std_path().canonicalize().ok()?;
    (nearest != top || members.len() == 1).then_some(name)
}

fn nothing(without: &[String]) -> String {
    match without {
        [] => "no library here depends on events-core: nothing declares an event".to_owned(),
        some => format!(
            "{} has no library: its events are looked after by `cargo run -p {} -- contracts …`",
            some.join(", "),
            some[0]
        ),
    }
}
