//! What 400 trivial handlers add to a build, over few events and each with an event of its own, and what the locks of those
//! events add to that.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use events_core::contract::{Contract, FieldTokens, Version, file_name};
use serde_json::json;
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

/// What the generated crate holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Nothing,
    /// Handlers, all of a module of the same event.
    Handlers,
    /// Handlers, each of an event of its own.
    WithEvents,
    /// The same, and what was released of each event.
    Locked,
}

impl Content {
    /// Whether each handler has an event of its own.
    fn has_events(self) -> bool {
        matches!(self, Self::WithEvents | Self::Locked)
    }
}

/// A build profile, and what its figures are called.
struct Profile {
    name: &'static str,
    options: &'static [&'static str],
    allowed: f64,
    without: &'static str,
    added: [&'static str; 2],
    processor: [&'static str; 2],
    locks: &'static str,
}

const PROFILES: [Profile; 2] = [
    Profile {
        name: "debug",
        options: &[],
        allowed: DEBUG,
        without: "debug_seconds_without",
        added: ["debug_seconds_added", "debug_seconds_added_with_events"],
        processor: [
            "debug_processor_seconds_added",
            "debug_processor_seconds_added_with_events",
        ],
        locks: "debug_ratio_locks",
    },
    Profile {
        name: "release",
        options: &["--release"],
        allowed: RELEASE,
        without: "release_seconds_without",
        added: ["release_seconds_added", "release_seconds_added_with_events"],
        processor: [
            "release_processor_seconds_added",
            "release_processor_seconds_added_with_events",
        ],
        locks: "release_ratio_locks",
    },
];

/// Time of a build in seconds: on the clock, and of all processors.
#[derive(Clone, Copy)]
struct Cost {
    clock: f64,
    processor: f64,
}

/// A generated crate.
struct Crate(TempDir);

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let mut report = Report::new(Benchmark::Compile, session, HANDLERS as u64);
    let generated = Crate::generate()?;
    let mut worse = [0.0f64; 2];
    let mut locks = 0.0f64;
    for profile in &PROFILES {
        let (without, added, locked) = measure(session, &generated, profile)?;
        report.figure(profile.without, without.clock);
        report.figure(profile.locks, locked);
        locks = locks.max(locked);
        for (index, added) in added.into_iter().enumerate() {
            report.figure(profile.added[index], added.clock);
            report.figure(profile.processor[index], added.processor);
            worse[index] = worse[index].max(added.clock / profile.allowed);
        }
    }
    report.goal(Goal::at_most(
        "ratio",
        "400 handlers over 8 events, of the time allowed: the worse of debug (5 s) and release (15 s)",
        worse[0],
        1.0,
    ));
    report.goal(Goal::at_most(
        "ratio_events",
        "400 handlers with 400 events, of the same time",
        worse[1],
        1.0,
    ));
    report.goal(Goal::at_most(
        "ratio_locks",
        "the build with 400 events and their locks, of the same build without locks: the worse of debug and release",
        locks,
        1.1,
    ));
    report.note(format!("{HANDLERS} handlers in {MODULES} modules, each module with one event (`…_added`) or each handler with an event of its own of two scalar fields (`…_with_events`), over the same crate without them; `…_ratio_locks` is the whole build with a lock of each event, released, over the whole build without; dependencies are built before; processor seconds are of the whole build, compiler and linker"));
    Ok(report)
}

/// Medians of the build without handlers, of what both kinds of handlers add to it, and how many times as long the one with
/// events takes with their locks.
fn measure(
    session: &Session,
    generated: &Crate,
    profile: &Profile,
) -> Result<(Cost, [Cost; 2], f64)> {
    let contents = [
        Content::Nothing,
        Content::Handlers,
        Content::WithEvents,
        Content::Locked,
    ];
    session.say(&format!(
        "building what the generated crate depends on, {}",
        profile.name
    ));
    generated.write(Content::Nothing)?;
    generated.build(profile.options)?;
    let mut costs = contents.map(|_| Vec::new());
    for run in 1..=session.runs() {
        for (costs, content) in costs.iter_mut().zip(contents) {
            generated.write(content)?;
            let cost = generated.build(profile.options)?;
            if content != Content::Nothing {
                generated.check(profile.options)?;
            }
            costs.push(cost);
        }
        let last = costs.each_ref().map(|costs| costs[run as usize - 1].clock);
        session.say(&format!(
            "compile {run}/{}: {:.2} s without, {:.2} s with handlers, {:.2} s with an event each, {:.2} s with locks",
            session.runs(),
            last[0],
            last[1],
            last[2],
            last[3]
        ));
    }
    generated.refuses(profile.options)?;
    let [without, handlers, events, locked] = costs.map(|costs| Cost {
        clock: median(costs.iter().map(|cost| cost.clock)),
        processor: median(costs.iter().map(|cost| cost.processor)),
    });
    let added = [handlers, events].map(|with| Cost {
        clock: with.clock - without.clock,
        processor: with.processor - without.processor,
    });
    Ok((without, added, locked.clock / events.clock))
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
        Ok(generated)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn write(&self, content: Content) -> Result<()> {
        let mut main = MAIN.to_owned();
        if content != Content::Nothing {
            for module in 0..MODULES {
                writeln!(main, "mod module_{module};")?;
                let path = self.path(&format!("src/module_{module}.rs"));
                fs::write(path, handlers(module, content)?)?;
            }
        }
        fs::write(self.path("src/main.rs"), main)?;
        let locks = self.path("contracts");
        if locks.exists() {
            fs::remove_dir_all(&locks)?;
        }
        if content == Content::Locked {
            fs::create_dir(&locks)?;
            for number in 0..HANDLERS {
                let event = format!("Event{number}");
                fs::write(locks.join(file_name(&event)), lock(&event, "u64"))?;
            }
        }
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

    /// One build.
    fn build(&self, options: &[&str]) -> Result<Cost> {
        let (begun, used) = (Instant::now(), children());
        let status = self
            .cargo(&["build"], options)
            .status()
            .context("cargo is not found")?;
        if !status.success() {
            bail!("the generated crate does not build");
        }
        Ok(Cost {
            clock: begun.elapsed().as_secs_f64(),
            processor: children() - used,
        })
    }

    /// That locks were compared: one that says something else keeps it from compiling.
    fn refuses(&self, options: &[&str]) -> Result<()> {
        self.write(Content::Locked)?;
        let event = format!("Event{}", HANDLERS - 1);
        let file = self.path("contracts").join(file_name(&event));
        fs::write(file, lock(&event, "String"))?;
        let output = self.cargo(&["build"], options).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.success() || !said.contains("`amount` was released as `String`") {
            bail!("the generated crate was not compared with its locks: {said}");
        }
        Ok(())
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

/// Processor seconds of all children that have ended, and of theirs.
fn children() -> f64 {
    let ticks = || -> Option<f64> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // Behind the name, which may hold anything: state is the third field, `cutime` the 16th, `cstime` the 17th.
        let fields = stat.rsplit_once(')')?.1.split_whitespace();
        let both = fields.skip(13).take(2);
        both.map(|ticks| ticks.parse::<f64>().ok()).sum()
    };
    ticks().map_or(f64::NAN, |ticks| {
        ticks / rustix::param::clock_ticks_per_second() as f64
    })
}

/// The lock of a generated event, whose second field was released as `amount`.
fn lock(event: &str, amount: &str) -> String {
    let field = |name: &str, ty: &str| FieldTokens {
        name: name.to_owned(),
        ty: ty.to_owned(),
        required: true,
        default: None,
        upcast_since: None,
    };
    let mut contract = Contract::new(event);
    contract.draft(Version {
        version: 1,
        released: false,
        fields: vec![field("amount", amount), field("id", "String")],
        schema: json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "description": format!("Event {event}."),
            "properties": {
                "amount": { "format": "uint64", "minimum": 0, "type": "integer" },
                "id": { "type": "string" },
            },
            "required": ["id", "amount"],
            "title": event,
            "type": "object",
        }),
    });
    contract.release();
    contract.write()
}

fn handlers(module: usize, content: Content) -> Result<String, std::fmt::Error> {
    let mut text = String::from("use events_core::{event, handler};\n");
    let first = module * HANDLERS / MODULES;
    let mut event = first;
    for number in first..first + HANDLERS / MODULES {
        if number == first || content.has_events() {
            event = number;
            writeln!(
                text,
                "\n/// Event {event}.\n#[event(topic = \"topic-{module}\", key = id)]\npub struct Event{event} {{\n    pub id: String,\n    pub amount: u64,\n}}"
            )?;
        }
        writeln!(
            text,
            "\n/// Handler {number}.\n#[handler]\nasync fn handle_{number}(event: Event{event}) {{\n    drop(event);\n}}"
        )?;
    }
    Ok(text)
}
