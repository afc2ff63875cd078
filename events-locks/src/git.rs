//! What git knows of the locks at a revision. Git is asked as a process: it knows its own formats best.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::error::LocksError;

/// The files below a directory as they were at a commit.
pub(crate) struct Tree {
    directory: PathBuf,
    commit: String,
    /// Paths from `directory`, each with the name of its content.
    files: Vec<(String, String)>,
}

impl Tree {
    /// Lists what lies below `directory` at `revision`.
    pub(crate) fn at(directory: &Path, revision: &str) -> Result<Self, LocksError> {
        let inside = git(directory, ["rev-parse", "--is-inside-work-tree"])?;
        if !inside.status.success() {
            return Err(LocksError::NotARepository {
                directory: directory.to_owned(),
                said: said(&inside),
            });
        }
        let name = format!("{revision}^{{commit}}");
        let words = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &name,
        ];
        let found = git(directory, words)?;
        let commit = String::from_utf8_lossy(&found.stdout).trim().to_owned();
        if !found.status.success() || commit.is_empty() {
            let revision = revision.to_owned();
            return Err(LocksError::UnknownRevision { revision });
        }
        let listed = git(directory, ["ls-tree", "-r", "-z", &commit])?;
        if !listed.status.success() {
            return Err(failed("ls-tree", said(&listed)));
        }
        let list = String::from_utf8_lossy(&listed.stdout);
        Ok(Self {
            directory: directory.to_owned(),
            commit,
            files: list.split('\0').filter_map(entry).collect(),
        })
    }

    /// The files for which `wanted` says so, with what was in them. Paths are whole.
    pub(crate) fn read(
        &self,
        wanted: impl Fn(&Path) -> bool,
    ) -> Result<Vec<(PathBuf, Vec<u8>)>, LocksError> {
        let chosen: Vec<_> = self
            .files
            .iter()
            .map(|(path, content)| (self.directory.join(path), content))
            .filter(|(path, _)| wanted(path))
            .collect();
        let names: String = chosen.iter().map(|(_, name)| format!("{name}\n")).collect();
        let contents = self.contents(names)?;
        if contents.len() != chosen.len() {
            return Err(failed("cat-file", "it left out a file".to_owned()));
        }
        let paths = chosen.into_iter().map(|(path, _)| path);
        Ok(paths.zip(contents).collect())
    }

    /// Whether there was a file.
    pub(crate) fn holds(&self, file: &Path) -> bool {
        let Ok(inside) = file.strip_prefix(&self.directory) else {
            return false;
        };
        self.files.iter().any(|(path, _)| Path::new(path) == inside)
    }

    /// The files that hold each of the words. Paths are whole.
    pub(crate) fn holding(
        &self,
        words: &[&str],
        files: &str,
    ) -> Result<BTreeSet<PathBuf>, LocksError> {
        let mut all = vec![
            "-c",
            "grep.fullName=false",
            "grep",
            "--no-color",
            "-l",
            "-z",
        ];
        all.extend(["--no-recurse-submodules", "-F", "--all-match"]);
        all.extend(words.iter().flat_map(|word| ["-e", word]));
        all.extend([self.commit.as_str(), "--", files]);
        let found = git(&self.directory, all)?;
        // 1 says that there is none.
        if !found.status.success() && found.status.code() != Some(1) {
            return Err(failed("grep", said(&found)));
        }
        let list = String::from_utf8_lossy(&found.stdout);
        let paths = list.split('\0').filter_map(|line| line.split_once(':'));
        Ok(paths.map(|(_, path)| self.directory.join(path)).collect())
    }

    /// All of them from one process.
    fn contents(&self, names: String) -> Result<Vec<Vec<u8>>, LocksError> {
        let mut child = command(&self.directory, ["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(LocksError::NoGit)?;
        let input = child.stdin.take();
        // It answers while it reads: asked and heard at once, neither waits for the other.
        let asking = std::thread::spawn(move || match input {
            Some(mut input) => input.write_all(names.as_bytes()),
            None => Ok(()),
        });
        let output = child.wait_with_output().map_err(LocksError::NoGit)?;
        let asked = asking
            .join()
            .unwrap_or(Err(io::ErrorKind::BrokenPipe.into()));
        if asked.is_err() || !output.status.success() {
            return Err(failed("cat-file", said(&output)));
        }
        batch(&output.stdout)
            .ok_or_else(|| failed("cat-file", "an answer of another form".to_owned()))
    }
}

/// `<mode> blob <content>\t<path>`; links and modules of other repositories are no files.
fn entry(line: &str) -> Option<(String, String)> {
    let (about, path) = line.split_once('\t')?;
    let mut words = about.split(' ');
    let (mode, kind, content) = (words.next()?, words.next()?, words.next()?);
    (kind == "blob" && mode != "120000").then(|| (path.to_owned(), content.to_owned()))
}

/// `<content> blob <length>\n<bytes>\n`, again and again.
fn batch(mut rest: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let line = std::str::from_utf8(&rest[..end]).ok()?;
        let length: usize = line.rsplit_once(' ')?.1.parse().ok()?;
        let content = rest.get(end + 1..end + 1 + length)?;
        all.push(content.to_vec());
        rest = rest.get(end + 2 + length..)?;
    }
    Some(all)
}

fn command<'a>(directory: &Path, words: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(directory)
        .args(words.into_iter().map(OsStr::new))
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    command
}

fn git<'a>(
    directory: &Path,
    words: impl IntoIterator<Item = &'a str>,
) -> Result<Output, LocksError> {
    command(directory, words)
        .output()
        .map_err(LocksError::NoGit)
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.trim().lines().next().unwrap_or_default().to_owned()
}

fn failed(command: &str, said: String) -> LocksError {
    LocksError::Git {
        command: command.to_owned(),
        said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_may_hold_anything() {
        let answer = b"a1 blob 3\nx\ny\nb2 blob 0\n\nc3 blob 2\n\xff\xfe\n";
        let all = batch(answer).unwrap();
        assert_eq!(all, [b"x\ny".to_vec(), Vec::new(), b"\xff\xfe".to_vec()]);
        assert_eq!(batch(b"a1 missing\n"), None);
        assert_eq!(batch(b"a1 blob 9\nshort\n"), None);
    }

    #[test]
    fn only_files_are_listed() {
        let path = |line| entry(line).map(|(path, _)| path);
        assert_eq!(
            path("100644 blob a1\tcontracts/A b.json").as_deref(),
            Some("contracts/A b.json")
        );
        assert_eq!(path("120000 blob a1\tcontracts/Link.json"), None);
        assert_eq!(path("160000 commit a1\tother"), None);
    }
}
