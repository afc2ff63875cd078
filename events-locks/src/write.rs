//! Writing locks, whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::SystemTime;

use crate::error::LocksError;

/// Puts `text` in the place of the file. Whoever reads meanwhile, or after a crash, finds the old text or the new one.
///
/// # Errors
///
/// The file cannot be written, or is a symbolic link: what it leads to may lie anywhere.
pub fn replace(file: &Path, text: &str) -> Result<(), LocksError> {
    let failed = |source| LocksError::Write {
        file: file.to_owned(),
        source,
    };
    if fs::symlink_metadata(file).is_ok_and(|known| known.is_symlink()) {
        return Err(failed(io::Error::other(
            "it is a symbolic link; remove the link",
        )));
    }
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let beside = file.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = file
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| whole(&beside, text))
        .and_then(|()| fs::rename(&beside, file));
    written.map_err(|source| {
        // It may not even be there.
        let _ = fs::remove_file(&beside);
        failed(source)
    })
}

fn whole(file: &Path, text: &str) -> io::Result<()> {
    // Left by a process of the same number that was killed.
    let _ = fs::remove_file(file);
    let mut open = File::create_new(file)?;
    open.write_all(text.as_bytes())?;
    open.sync_all()
}

/// Lets the next build compile a source file anew.
pub(crate) fn touch(source: &Path) -> Result<(), LocksError> {
    let touched = File::options()
        .append(true)
        .open(source)
        .and_then(|file| file.set_modified(SystemTime::now()));
    touched.map_err(|error| LocksError::Write {
        file: source.to_owned(),
        source: error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let shelf = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let target = outside.path().join("kept");
        fs::write(&target, "kept").unwrap();
        let link = |name: &str| {
            let link = shelf.path().join(name);
            std::os::unix::fs::symlink(&target, &link).unwrap();
            link
        };
        let error = replace(&link("Linked.json"), "{}").unwrap_err();
        let error = std::error::Error::source(&error).unwrap().to_string();
        assert!(error.contains("symbolic link"), "{error}");
        // Nor one in the place of the file that is written beside.
        link(&format!(".Plain.json.{}.new", std::process::id()));
        replace(&shelf.path().join("Plain.json"), "{}").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "kept");
        assert!(!shelf.path().join("Plain.json").is_symlink());
    }

    #[test]
    fn what_cannot_be_put_in_place_leaves_nothing_beside() {
        let shelf = tempfile::tempdir().unwrap();
        // A directory that holds something stays where it is.
        let lock = shelf.path().join("OrderPlaced.json");
        fs::create_dir_all(lock.join("kept")).unwrap();
        let error = replace(&lock, "{}").unwrap_err().to_string();
        assert!(
            error.contains("what was there before is still there"),
            "{error}"
        );
        let left: Vec<_> = fs::read_dir(shelf.path()).unwrap().collect();
        assert!(left.len() == 1 && lock.join("kept").is_dir(), "{left:?}");
        replace(&shelf.path().join("Other.json"), "{}").unwrap();
        assert_eq!(fs::read_dir(shelf.path()).unwrap().count(), 2);
    }
}
