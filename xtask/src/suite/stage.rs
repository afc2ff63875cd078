//! The stages of the suite, in the order in which they run: what is cheap to check comes first.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::faults;
use crate::suite::again::Again;
use crate::suite::session::Session;
use crate::suite::{binaries, example, page};
use xtask::parts::kafka::Kafka;
use xtask::parts::{KAFKA_ADDRESS, tools};
use xtask::progress::Progress;

/// Packages whose tests also run on Apache Kafka. Their tests learn the address from `KAFKA_BOOTSTRAP_SERVERS`.
const ON_REAL_KAFKA: &[&str] = &["events-kafka", "end-to-end-tests"];

/// The test binary that wants a broker of its own, which takes little offset metadata.
const SMALL_METADATA: &str = "events-kafka-small_metadata";

/// The cargo-fuzz targets in `fuzz/`, by name, so that one that vanishes is an error.
const FUZZ_TARGETS: &[&str] = &["bounds", "headers", "offset_map"];
const FUZZ_SECONDS: u32 = 20;
/// What one input may cost: seconds, and mebibytes of the whole process. An ordinary one takes less than a millisecond.
const FUZZ_LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=1024"];

/// A stage that takes longer hangs. The sum of what the stages really take must stay below CI's 45 minutes.
pub(super) const BUILD: Duration = Duration::from_secs(20 * 60);
const TESTS: Duration = Duration::from_secs(30 * 60);
/// The short form takes eight to ten minutes where nothing else runs.
const FAULTS: Duration = Duration::from_secs(20 * 60);
pub(super) const SHORT: Duration = Duration::from_secs(10 * 60);

/// A group of checks with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stage {
    /// Formatting.
    Fmt,
    /// Lints, all of them errors.
    Clippy,
    /// Documentation builds without a warning.
    Docs,
    /// Every test, on the embedded cluster.
    Tests,
    /// The page in headless Chromium, and AsyncAPI documents before the official parser.
    Page,
    /// The tests that need a broker, on Apache Kafka.
    Kafka,
    /// Every fault of the fault bench once, on three brokers of Apache Kafka.
    Faults,
    /// A short run of each fuzz target.
    Fuzz,
    /// What is off by default: the client with TLS and Kerberos, and the least rights on a broker with TLS, SASL and an
    /// authorizer; the example with its exporter of spans; types of other crates in events.
    Features,
    /// The README's first command, plain and with chaos, on the embedded cluster.
    Example,
    /// The same on Apache Kafka.
    ExampleKafka,
}

impl Stage {
    /// The name on the command line and in the report.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Docs => "docs",
            Self::Tests => "tests",
            Self::Page => "page",
            Self::Kafka => "kafka",
            Self::Faults => "faults",
            Self::Fuzz => "fuzz",
            Self::Features => "features",
            Self::Example => "example",
            Self::ExampleKafka => "example-kafka",
        }
    }

    /// Runs the stage. Failures of commands are kept by the session; an error is what kept a command from running.
    pub(crate) fn run(self, session: &mut Session<'_>, progress: &Progress) -> Result<()> {
        match self {
            Self::Fmt => {
                // Where TERM is set rustfmt colours even what goes into a file.
                let command = session.cargo(["fmt", "--all", "--check", "--", "--color", "never"]);
                session.step(self.name(), command, SHORT, progress)?;
            }
            Self::Clippy => {
                let command = session.cargo([
                    "clippy",
                    "--workspace",
                    "--all-targets",
                    "--",
                    "-D",
                    "warnings",
                ]);
                session.step(self.name(), command, BUILD, progress)?;
            }
            Self::Docs => {
                let mut command = session.cargo(["doc", "--workspace", "--no-deps"]);
                command.env("RUSTDOCFLAGS", "-D warnings");
                session.step(self.name(), command, BUILD, progress)?;
            }
            Self::Tests => {
                let words = ["test", "--workspace", "--no-fail-fast"];
                cargo_tests(session, self.name(), &words, &[], TESTS, progress)?;
            }
            Self::Page => page::run(self.name(), session, progress)?,
            Self::Kafka => self.tests_on_kafka(session, progress)?,
            Self::Faults => {
                let build = session.cargo(faults::BUILD);
                if session.step("build-faults", build, BUILD, progress)?.ok() {
                    let bench = |session: &Session<'_>, names: &[String]| {
                        faults::command(session.workspace, names)
                    };
                    session.tests(self.name(), Again::Scenarios, bench, FAULTS, progress)?;
                }
            }
            Self::Fuzz => self.fuzz(session, progress)?,
            Self::Features => {
                // With the system's libraries: building OpenSSL along takes longer than all the rest.
                let needed = [tools::PKG_CONFIG, tools::OPENSSL, tools::SASL];
                tools::ensure(&needed, progress)?;
                self.features(session, progress)?;
            }
            Self::Example => example::run(self.name(), session, None, progress)?,
            Self::ExampleKafka => {
                let address = session.kafka(progress)?;
                example::run(self.name(), session, Some(&address), progress)?;
            }
        }
        Ok(())
    }

    fn tests_on_kafka(self, session: &mut Session<'_>, progress: &Progress) -> Result<()> {
        let binaries = binaries::of(ON_REAL_KAFKA, session, BUILD, progress)?;
        let address = session.kafka(progress)?;
        for binary in binaries {
            let small = match binary.name == SMALL_METADATA {
                true => Some(Kafka::with_settings(
                    session.workspace,
                    "offset.metadata.max.bytes=512\n",
                    progress,
                )?),
                false => None,
            };
            let command = |_: &Session<'_>, more: &[String]| {
                let mut command = binary.command();
                command.env(KAFKA_ADDRESS, &address).args(more);
                if let Some(small) = &small {
                    command.env("SMALL_METADATA_KAFKA", small.address());
                }
                command
            };
            let name = format!("{}-{}", self.name(), binary.name);
            session.tests(&name, Again::Binary, command, TESTS, progress)?;
        }
        Ok(())
    }

    /// The client is built once, for both.
    fn features(self, session: &mut Session<'_>, progress: &Progress) -> Result<()> {
        let test = [
            "test",
            "--package=events-kafka",
            "--features=ssl,gssapi",
            "--lib",
            "--test=secured",
        ];
        let mut build = session.cargo(test);
        build.arg("--no-run");
        if !session.step("build-features", build, BUILD, progress)?.ok() {
            return Ok(());
        }
        let kafka = Kafka::secured(session.workspace, progress)?;
        let broker = kafka.secured_environment();
        cargo_tests(session, self.name(), &test, &broker, SHORT, progress)?;
        kafka.check()?;
        let package = "--package=order-choreography";
        let traces = ["test", package, "--features=otlp", "--test=traces"];
        cargo_tests(session, "features-otlp", &traces, &[], BUILD, progress)?;
        let types = "--features=chrono,decimal,time";
        let fields = ["test", "--package=events-core", types, "--test=field_types"];
        cargo_tests(session, "features-fields", &fields, &[], BUILD, progress)?;
        let docs = ["test", "--package=events-core", types, "--doc", "Timestamp"];
        cargo_tests(session, "features-fields-docs", &docs, &[], BUILD, progress)?;
        Ok(())
    }

    fn fuzz(self, session: &mut Session<'_>, progress: &Progress) -> Result<()> {
        if !session.workspace.root().join("fuzz/Cargo.toml").exists() {
            bail!("fuzz/Cargo.toml is missing: the targets {FUZZ_TARGETS:?} belong there");
        }
        tools::ensure(&[tools::CPP_COMPILER], progress)?;
        if !tools::succeeds(Command::new("cargo").args(["+nightly", "--version"])) {
            progress.announce("installing the nightly toolchain, which cargo-fuzz needs (rustup)");
            let mut command = Command::new("rustup");
            command.args(["toolchain", "install", "nightly", "--profile", "minimal"]);
            if !session
                .step("rustup-nightly", command, SHORT, progress)?
                .ok()
            {
                bail!(
                    "fuzzing needs a nightly toolchain: `rustup toolchain install nightly --profile minimal`"
                );
            }
        }
        if !tools::succeeds(Command::new("cargo").args(["fuzz", "--version"])) {
            progress.announce("installing cargo-fuzz (cargo install cargo-fuzz --locked)");
            let command = session.cargo(["install", "cargo-fuzz", "--locked"]);
            if !session
                .step("cargo-fuzz-install", command, SHORT, progress)?
                .ok()
            {
                bail!("fuzzing needs cargo-fuzz: `cargo install cargo-fuzz --locked`");
            }
        }
        // Beside the other builds rather than in fuzz/target. No sanitizer: the targets are safe code, in which it
        // finds nothing and costs half the speed.
        let build = session.workspace.target().join("fuzz");
        let seconds = format!("-max_total_time={FUZZ_SECONDS}");
        for target in FUZZ_TARGETS {
            let mut command = session.cargo([
                "+nightly",
                "fuzz",
                "run",
                "--sanitizer",
                "none",
                "--target-dir",
            ]);
            command.arg(&build).args([target, "--", &seconds]);
            command.args(FUZZ_LIMITS);
            session.step(
                &format!("{}-{target}", self.name()),
                command,
                BUILD,
                progress,
            )?;
        }
        Ok(())
    }
}

/// Runs `cargo` with these words, and what failed again alone.
fn cargo_tests(
    session: &mut Session<'_>,
    name: &str,
    words: &[&str],
    environment: &[(&str, String)],
    limit: Duration,
    progress: &Progress,
) -> Result<()> {
    let command = |session: &Session<'_>, more: &[String]| {
        let given = |word: &&str| !(word.starts_with("--") && words.contains(word));
        let more = more.iter().map(String::as_str).filter(given);
        let mut command = session.cargo(words.iter().copied().chain(more));
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command
    };
    session
        .tests(name, Again::Cargo, command, limit, progress)
        .map(drop)
}
