//! The checker, proven: builds that break one rule each, which the bench must see.

mod list;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use xtask::output::{Captured, tail};
use xtask::workspace::Workspace;

use crate::report::Report;
use crate::scenarios;
use crate::scene::Bench;
use list::{ALL, Edit, Mutant};

const BUILD: Duration = Duration::from_secs(20 * 60);
/// A mutant that one seed does not show is played with as many at the most.
const SEEDS: u64 = 3;
/// Where the table goes.
const README: &str = "tests/faults/README.md";
const BEGIN: &str = "<!-- mutants: written by `cargo xtask faults --mutants` -->";
const END: &str = "<!-- /mutants -->";

/// A copy of the sources with a build directory of its own.
struct Scratch {
    tree: PathBuf,
    target: PathBuf,
}

/// What a mutant's scenarios saw.
struct Seen {
    name: &'static str,
    about: &'static str,
    /// The seed they were played with.
    seed: u64,
    /// Scenario and the invariants that did not hold.
    scenarios: Vec<(&'static str, Vec<&'static str>)>,
}

impl Seen {
    fn is_caught(&self) -> bool {
        let mut invariants = self.scenarios.iter().flat_map(|(_, violated)| violated);
        invariants.any(|violated| violated.starts_with('I'))
    }
}

/// Builds each mutant, or those that `name` lists, plays its scenarios, and writes the table. Answers whether all were
/// caught, and the sources as they are were not.
pub(crate) fn run(
    workspace: &Workspace,
    bench: &mut Bench<'_>,
    name: Option<&str>,
) -> Result<bool> {
    let chosen: Vec<&Mutant> = ALL
        .iter()
        .filter(|mutant| name.is_none_or(|names| names.split(',').any(|name| name == mutant.name)))
        .collect();
    if chosen.is_empty() {
        let names: Vec<_> = ALL.iter().map(|mutant| mutant.name).collect();
        bail!("there is no such mutant; there are {}", names.join(", "));
    }
    let scratch = Scratch::copy(workspace)?;
    bench.directory = workspace.target().join("faults/mutants/runs");
    let mut all = Vec::new();
    let mut scenarios: Vec<_> = chosen.iter().flat_map(|mutant| mutant.scenarios).collect();
    scenarios.sort_unstable();
    scenarios.dedup();
    let scenarios: Vec<_> = scenarios.into_iter().copied().collect();
    bench.worker = scratch.build()?;
    let unharmed = play(bench, "(none)", "the sources as they are", &scenarios)?;
    eprintln!("[(none)] {:?}", unharmed.scenarios);
    let is_clean = unharmed
        .scenarios
        .iter()
        .all(|(_, violated)| violated.is_empty());
    all.push(unharmed);
    for mutant in chosen {
        eprintln!("[{}] {}", mutant.name, mutant.about);
        let broken = scratch
            .apply(mutant.edits)
            .with_context(|| format!("`{}`", mutant.name))?;
        let built = scratch.build();
        let seen = built.and_then(|worker| {
            bench.worker = worker;
            let first = bench.seed;
            let mut seen = play(bench, mutant.name, mutant.about, mutant.scenarios);
            // What a mutant does wrong may need a moment that one seed did not bring.
            while bench.seed < first + SEEDS - 1
                && seen.as_ref().is_ok_and(|seen| !seen.is_caught())
            {
                bench.seed += 1;
                seen = play(bench, mutant.name, mutant.about, mutant.scenarios);
            }
            bench.seed = first;
            seen
        });
        for (file, text) in broken.into_iter().rev() {
            write(&file, &text)?;
        }
        // The others are played all the same.
        let seen = seen.unwrap_or_else(|error| {
            eprintln!("[{}] {error:#}", mutant.name);
            Seen {
                name: mutant.name,
                about: mutant.about,
                seed: bench.seed,
                scenarios: vec![("the build", vec!["failed"])],
            }
        });
        let word = if seen.is_caught() {
            "caught"
        } else {
            "NOT CAUGHT"
        };
        eprintln!("[{}] {word}", mutant.name);
        all.push(seen);
    }
    let rows: Vec<_> = all
        .iter()
        .map(|seen| (seen.name, row(seen, bench.seed)))
        .collect();
    let lines = rows.iter().map(|(_, row)| row.as_str());
    println!("{HEAD}{}", lines.collect::<String>());
    let readme = workspace.root().join(README);
    let text = fs::read_to_string(&readme)?;
    let text = match name {
        None => put(&text, &rows, true)?,
        // That they are clean in some scenarios is no news.
        Some(_) => put(&text, &rows[1..], false)?,
    };
    fs::write(&readme, text)?;
    let mut caught = all.iter().skip(1).map(Seen::is_caught);
    Ok(is_clean && caught.all(|caught| caught))
}

fn play(
    bench: &Bench<'_>,
    name: &'static str,
    about: &'static str,
    chosen: &[&'static str],
) -> Result<Seen> {
    let mut seen = Seen {
        name,
        about,
        seed: bench.seed,
        scenarios: Vec::new(),
    };
    for wanted in chosen {
        let scenario = scenarios::ALL
            .iter()
            .find(|scenario| scenario.name == *wanted);
        let scenario = scenario.with_context(|| format!("there is no scenario `{wanted}`"))?;
        let violated = Report::default().run(bench, scenario);
        seen.scenarios.push((scenario.name, violated));
    }
    Ok(seen)
}

impl Scratch {
    /// Copies what git knows of, as it stands in the workspace now. What did not change keeps its time, so that a
    /// second run builds little.
    fn copy(workspace: &Workspace) -> Result<Self> {
        let home = workspace.target().join("faults/mutants");
        let scratch = Self {
            tree: home.join("tree"),
            target: home.join("target"),
        };
        let listed = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(workspace.root())
            .output()
            .context("git lists the sources")?;
        for file in String::from_utf8_lossy(&listed.stdout).split_terminator('\0') {
            let Ok(text) = fs::read(workspace.root().join(file)) else {
                // Deleted, and git has not been told.
                continue;
            };
            let copy = scratch.tree.join(file);
            if fs::read(&copy).is_ok_and(|known| known == text) {
                continue;
            }
            if let Some(parent) = copy.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&copy, text)?;
        }
        Ok(scratch)
    }

    fn build(&self) -> Result<PathBuf> {
        let mut command = Command::new("cargo");
        command
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_TERM_COLOR", "never")
            // Links faster.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env_remove("RUSTFLAGS")
            .args(["build", "--package", "faults", "--bin", "fault-worker"])
            .args(["--features", "failpoints"]);
        let log = self.target.with_extension("log");
        let captured = Captured::run(command, &log, BUILD, |_| {})?;
        if !captured.ok() {
            bail!("it does not build:\n{}", tail(captured.text(), 30));
        }
        Ok(self.target.join("debug/fault-worker"))
    }

    /// Breaks the sources; answers what stood there before.
    fn apply(&self, edits: &[Edit]) -> Result<Vec<(PathBuf, String)>> {
        let mut before = Vec::new();
        for edit in edits {
            let file = self.tree.join(edit.file);
            let text = fs::read_to_string(&file)?;
            if text.matches(edit.find).count() != 1 {
                bail!(
                    "{} does not hold this once, so the mutant is out of date:\n{}",
                    edit.file,
                    edit.find
                );
            }
            write(&file, &text.replace(edit.find, edit.replace))?;
            before.push((file, text));
        }
        Ok(before)
    }
}

/// Cargo goes by times: a file that was broken and mended within a second must look new both times.
fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text)?;
    fs::File::open(file)?.set_modified(SystemTime::now())?;
    Ok(())
}

const HEAD: &str =
    "| mutant | the rule it breaks | scenario: what the checker saw |\n|---|---|---|\n";

/// A line of the table; `usual` is the seed that goes without saying.
fn row(seen: &Seen, usual: u64) -> String {
    let cells = seen.scenarios.iter().map(|(scenario, violated)| {
        let saw = match violated.is_empty() {
            true => "nothing".to_owned(),
            false => violated.join(", "),
        };
        match seen.seed == usual {
            true => format!("{scenario}: {saw}"),
            false => format!("{scenario}: {saw} (seed {})", seen.seed),
        }
    });
    let cells: Vec<_> = cells.collect();
    format!(
        "{}{} | {} |\n",
        start(seen.name),
        seen.about,
        cells.join("; ")
    )
}

/// What a mutant's line begins with.
fn start(name: &str) -> String {
    match name {
        "(none)" => "| (none) | ".to_owned(),
        name => format!("| `{name}` | "),
    }
}

/// Puts lines into the table in place of those of the same mutants, or all of them in place of the table.
fn put(text: &str, rows: &[(&str, String)], whole: bool) -> Result<String> {
    let (before, rest) = text
        .split_once(BEGIN)
        .with_context(|| format!("{README} has no place for the table: {BEGIN}"))?;
    let (known, after) = rest
        .split_once(END)
        .with_context(|| format!("{README} lacks {END}"))?;
    let mut table = match whole {
        true => HEAD.to_owned(),
        false => known.trim_start().to_owned(),
    };
    for (name, row) in rows {
        let start = start(name);
        match table.lines().find(|line| line.starts_with(&start)) {
            Some(line) => table = table.replace(&format!("{line}\n"), row),
            None => table += row,
        }
    }
    Ok(format!("{before}{BEGIN}\n{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_the_place_of_its_mutants() {
        let row = |name: &str, about: &str| format!("{}{about} | x |\n", start(name));
        let text = format!("a\n{BEGIN}\nold\n{END}\nz\n");
        let both = [("(none)", row("(none)", "1")), ("m", row("m", "2"))];
        let text = put(&text, &both, true).expect("it has a place");
        let again = [("m", row("m", "3")), ("n", row("n", "4"))];
        let text = put(&text, &again, false).expect("it has a place");
        let rows = ["(none)", "m", "n"].map(|name| text.find(&start(name)));
        assert!(rows.is_sorted() && rows[0].is_some(), "{text}");
        assert!(text.contains("| `m` | 3 | x |\n") && !text.contains("| 2 |"));
        assert!(text.starts_with(&format!("a\n{BEGIN}\n{HEAD}")) && text.ends_with("\nz\n"));
    }

    #[test]
    fn every_mutant_fits_the_sources_as_they_are() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut stale = Vec::new();
        for mutant in ALL {
            for edit in mutant.edits {
                let text = fs::read_to_string(root.join(edit.file)).unwrap_or_default();
                if text.matches(edit.find).count() != 1 {
                    stale.push(format!("{}: {}", mutant.name, edit.file));
                }
            }
            let known = |name: &&str| scenarios::ALL.iter().any(|known| known.name == *name);
            assert!(mutant.scenarios.iter().all(known), "{}", mutant.name);
        }
        assert!(
            stale.is_empty(),
            "these mutants are out of date: {stale:#?}"
        );
    }
}
