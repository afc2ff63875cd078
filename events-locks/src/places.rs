//! Where locks may have been at a revision.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::LocksError;
use crate::git::Tree;
use crate::shelves::{Linked, Shelves};

/// What every lock holds. One may have lain anywhere: `lock = "…"` at its event said so.
const WORDS: [&str; 3] = ["\"event\"", "\"fingerprint\"", "\"versions\""];

/// Directories of a crate whose programs nothing links: a lock there belongs to a test.
const OF_TESTS: [&str; 3] = ["benches", "examples", "tests"];

pub(crate) struct Places<'a> {
    tree: &'a Tree,
    /// Files of the events that are declared.
    files: BTreeSet<PathBuf>,
    /// Directories of locks whose crates are linked.
    shelves: BTreeSet<PathBuf>,
    /// Directories of locks that several crates share.
    shared: BTreeSet<PathBuf>,
    /// Directories of crates that are linked.
    crates: BTreeSet<PathBuf>,
    /// Whether all crates are.
    all: bool,
    /// Files that look like locks inside.
    alike: BTreeSet<PathBuf>,
}

impl<'a> Places<'a> {
    pub(crate) fn of(
        shelves: &Shelves,
        linked: &Linked,
        tree: &'a Tree,
    ) -> Result<Self, LocksError> {
        let declares = |package: &String| {
            let mut declared = shelves.declared().iter();
            declared.any(|declared| declared.package == *package)
        };
        let packages = shelves.packages().iter().filter(|(package, _)| {
            linked.all || linked.packages.contains(package) || declares(package)
        });
        let crates: BTreeSet<_> = packages.map(|(_, directory)| directory.clone()).collect();
        let shared = shelves.shared();
        let own = crates.iter().map(|directory| directory.join("contracts"));
        Ok(Self {
            tree,
            files: shelves.used(),
            shelves: own.filter(|shelf| !shared.contains(shelf)).collect(),
            shared,
            crates,
            all: linked.all,
            alike: tree.holding(&WORDS, ".")?,
        })
    }

    pub(crate) fn may_hold(&self, path: &Path) -> bool {
        if self.are_looked_for(path) {
            return true;
        }
        // What is gone may have come to another crate, or its crate to another directory.
        self.alike.contains(path)
            && !self.is_of_a_test(path)
            && (self.are_of_linked(path) || !path.is_file())
    }

    /// Whether locks are looked for there today.
    pub(crate) fn are_looked_for(&self, path: &Path) -> bool {
        let shelf = path.parent().unwrap_or(path);
        let is_json = path.extension().is_some_and(|of| of == "json");
        let is_shelf = self.shelves.contains(shelf) || self.shared.contains(shelf);
        self.files.contains(path) || (is_json && is_shelf)
    }

    /// Whether locks there are surely of crates that are linked.
    pub(crate) fn are_of_linked(&self, path: &Path) -> bool {
        let shelf = path.parent().unwrap_or(path);
        let of_linked = || {
            let owner = self.owner(path);
            owner.is_some_and(|owner| self.crates.contains(owner))
        };
        self.all
            || self.files.contains(path)
            || self.shelves.contains(shelf)
            || (!self.shared.contains(shelf) && of_linked())
    }

    /// Whether a source named the file then, as `lock = "…"` does.
    pub(crate) fn was_named(&self, path: &Path) -> Result<bool, LocksError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let sources = self.tree.holding(&[&format!("{name}\"")], "*.rs")?;
        Ok(!sources.is_empty())
    }

    fn is_of_a_test(&self, path: &Path) -> bool {
        let inside = self
            .owner(path)
            .and_then(|owner| path.strip_prefix(owner).ok());
        let first = inside.and_then(|inside| inside.components().next());
        first.is_some_and(|first| OF_TESTS.iter().any(|of| first.as_os_str() == *of))
    }

    /// The directory of the crate that the file lay in.
    fn owner<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        let mut above = path.ancestors().skip(1);
        above.find(|directory| self.tree.holds(&directory.join("Cargo.toml")))
    }
}
