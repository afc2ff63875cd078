//! What 400 trivial handlers, each with an event of its own, add to a build.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::benchmark::Benchmark;
use crate::report::{Goal, Report};
use crate::sample::median;
use crate::session::Session;

const HANDLERS: usize = 400;
const MODULES: usize = 8;
const MAIN: &str = "//! Counts its handlers.\n\nfn main() {\n    println!(\"{}\", events_core::Registry::linked().handlers.len());\n}\n";
/// Seconds that the handlers may add.
const DEBUG: f64 = 5.0;
const RELEASE: f64 = 15.0;

/// A crate with handlers or without.
struct Crate(TempDir);

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let mut report = Report::new(Benchmark::Compile, session, HANDLERS as u64);
    let generated = Crate::generate()?;
    let profiles: [(&[&str], [&str; 3]); 2] = [
        (
            &[],
            [
                "debug_seconds_without",
                "debug_seconds_with",
                "debug_seconds_added",
            ],
        ),
        (
            &["--release"],
            [
                "release_seconds_without",
                "release_seconds_with",
                "release_seconds_added",
            ],
        ),
    ];
    let mut added = Vec::new();
    for (options, names) in profiles {
        session.say(&format!(
            "building what the generated crate depends on, {}",
            if options.is_empty() {
                "debug"
            } else {
                "release"
            }
        ));
        generated.write(false)?;
        generated.build(options)?;
        let mut seconds = [Vec::new(), Vec::new()];
        for run in 1..=session.runs() {
            for (seconds, handlers) in seconds.iter_mut().zip([false, true]) {
                generated.write(handlers)?;
                seconds.push(generated.build(options)?);
            }
            session.say(&format!(
                "compile {run}/{}: {:.2} s without, {:.2} s with",
                session.runs(),
                seconds[0][run as usize - 1],
                seconds[1][run as usize - 1]
            ));
        }
        generated.check(options)?;
        let [without, with] = seconds.map(median);
        added.push(with - without);
        for (name, value) in names.into_iter().zip([without, with, with - without]) {
            report.figure(name, value);
        }
    }
    let worse = (added[0] / DEBUG).max(added[1] / RELEASE);
    report.goal(Goal::at_most(
        "ratio",
        "of the time allowed, the worse of debug (5 s) and release (15 s)",
        worse,
        1.0,
    ));
    report.note(format!("{HANDLERS} handlers, each with an event of its own, over the same crate without them; dependencies are built before"));
    Ok(report)
}

impl Crate {
    fn generate() -> Result<Self> {
        let generated = Self(
            tempfile::Builder::new()
                .prefix("bench-compile-")
                .tempdir()?,
        );
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("the workspace lies above this package")?;
        let manifest = format!(
            "[package]\nname = \"compile-cost\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\nevents-core = {{ path = {:?} }}\n\n[workspace]\n",
            workspace.join("events-core")
        );
        fs::write(generated.path("Cargo.toml"), manifest)?;
        // The versions that are downloaded already.
        fs::copy(workspace.join("Cargo.lock"), generated.path("Cargo.lock"))?;
        fs::create_dir(generated.path("src"))?;
        for module in 0..MODULES {
            fs::write(
                generated.path(&format!("src/module_{module}.rs")),
                handlers(module)?,
            )?;
        }
        Ok(generated)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn write(&self, handlers: bool) -> Result<()> {
        let mut main = MAIN.to_owned();
        if handlers {
            (0..MODULES).try_for_each(|module| writeln!(main, "mod module_{module};"))?;
        }
        fs::write(self.path("src/main.rs"), main)?;
        // The build before last had the same text: what it left would make this one look fast.
        for profile in ["debug", "release"] {
            let left = self.path("target").join(profile).join("incremental");
            if left.exists() {
                fs::remove_dir_all(left)?;
            }
        }
        Ok(())
    }

    fn cargo(&self, words: &[&str], options: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        command
            .args(words)
            .args(["--quiet", "--offline"])
            .args(options)
            .current_dir(self.0.path());
        command
            .env("CARGO_TARGET_DIR", self.path("target"))
            .env_remove("RUSTFLAGS")
            .stdin(Stdio::null());
        command
    }

    /// Seconds of one build.
    fn build(&self, options: &[&str]) -> Result<f64> {
        let begun = Instant::now();
        let status = self
            .cargo(&["build"], options)
            .status()
            .context("cargo is not found")?;
        if !status.success() {
            bail!("the generated crate does not build");
        }
        Ok(begun.elapsed().as_secs_f64())
    }

    /// That all handlers were there.
    fn check(&self, options: &[&str]) -> Result<()> {
        let output = self.cargo(&["run"], options).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        if text.trim() != HANDLERS.to_string() {
            bail!(
                "the generated program has {:?} handlers instead of {HANDLERS}",
                text.trim()
            );
        }
        Ok(())
    }
}

fn handlers(module: usize) -> Result<String, std::fmt::Error> {
    let mut text = String::from("use events_core::{event, handler};\n");
    for index in 0..HANDLERS / MODULES {
        let number = module * HANDLERS / MODULES + index;
        writeln!(
            text,
            "\n/// Event {number}.\n#[event(topic = \"topic-{module}\", key = id)]\npub struct Event{number} {{\n    pub id: String,\n    pub amount: u64,\n}}\n\n/// Handler {number}.\n#[handler]\nasync fn handle_{number}(event: Event{number}) {{\n    drop(event);\n}}"
        )?;
    }
    Ok(text)
}
