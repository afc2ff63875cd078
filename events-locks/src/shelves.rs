//! Where locks lie: the crates of the workspace, and the events that each declares.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;
use events_core::contract::{Declaration, lock_directories};

use crate::error::LocksError;

/// Whose events are linked into the program that names them.
#[derive(Debug, Clone, Default)]
pub struct Linked {
    /// Crates that are linked though they may declare no event any more.
    pub packages: Vec<String>,
    /// Whether all crates of the workspace are that can declare events.
    pub all: bool,
}

/// The crates of a workspace that declare events, and where their locks are.
#[derive(Debug)]
pub struct Shelves {
    root: PathBuf,
    /// The directories of all crates of the workspace, by name.
    packages: BTreeMap<String, PathBuf>,
    /// Sorted by package, then by name.
    declared: Vec<Declaration>,
}

impl Shelves {
    /// Asks cargo where the crates of the workspace around `directory` are, and keeps of `declared` what they declare.
    ///
    /// # Errors
    ///
    /// No workspace, or none of its crates declares any of the events.
    pub fn open(directory: &Path, declared: Vec<Declaration>) -> Result<Self, LocksError> {
        let metadata = MetadataCommand::new()
            .current_dir(directory)
            .no_deps()
            .exec();
        let metadata = metadata.map_err(LocksError::Workspace)?;
        let packages = metadata.workspace_packages().into_iter().map(|package| {
            let manifest = package.manifest_path.as_std_path();
            let directory = manifest.parent().unwrap_or(manifest);
            (package.name.to_string(), directory.to_owned())
        });
        Self::of(
            metadata.workspace_root.as_std_path().to_owned(),
            packages.collect(),
            declared,
        )
    }

    fn of(
        root: PathBuf,
        packages: BTreeMap<String, PathBuf>,
        mut declared: Vec<Declaration>,
    ) -> Result<Self, LocksError> {
        let linked = declared.len();
        // What is declared elsewhere, such as in a published crate, has its locks there.
        declared.retain(|event| packages.contains_key(&event.package));
        if declared.is_empty() && linked > 0 {
            return Err(LocksError::NothingOfOurs { linked, root });
        }
        declared
            .sort_by(|one, other| (&one.package, &one.event).cmp(&(&other.package, &other.event)));
        Ok(Self {
            root,
            packages,
            declared,
        })
    }

    /// The workspace's directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The events that its crates declare.
    pub fn declared(&self) -> &[Declaration] {
        &self.declared
    }

    pub(crate) fn packages(&self) -> &BTreeMap<String, PathBuf> {
        &self.packages
    }

    /// The directory of the crate that declares it.
    pub(crate) fn directory(&self, declared: &Declaration) -> &Path {
        self.packages
            .get(&declared.package)
            .map_or(&self.root, PathBuf::as_path)
    }

    pub(crate) fn lock_file(&self, declared: &Declaration) -> PathBuf {
        plain(&declared.lock_file(self.directory(declared)))
    }

    /// The files of all events that are declared.
    pub(crate) fn used(&self) -> BTreeSet<PathBuf> {
        let files = self.declared.iter().map(|event| self.lock_file(event));
        files.collect()
    }

    /// Directories of locks that several crates share: those above a crate.
    pub(crate) fn shared(&self) -> BTreeSet<PathBuf> {
        let own: BTreeSet<_> = self
            .packages
            .values()
            .map(|of| of.join("contracts"))
            .collect();
        let single = self.packages.len() == 1;
        let all = self.packages.values().flat_map(|of| lock_directories(of));
        let top = self.root.join("contracts");
        // Beside a workspace's top there may be locks of all crates, also where a crate lies there itself.
        all.filter(|shelf| !single && (*shelf == top || !own.contains(shelf)))
            .collect()
    }

    /// A path as it is shown: from the workspace's directory.
    pub(crate) fn shown(&self, path: &Path) -> String {
        let inside = path.strip_prefix(&self.root).unwrap_or(path);
        inside.display().to_string()
    }

    /// A text in which paths stand.
    pub(crate) fn shorten(&self, text: &str) -> String {
        let prefix = format!("{}{}", self.root.display(), std::path::MAIN_SEPARATOR);
        text.replace(&prefix, "")
    }
}

/// Without `a/..`, as `lock = "../contracts/…"` makes it.
pub(crate) fn plain(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}
