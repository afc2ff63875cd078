//! What the stages of one run share: the broker, the log directory, the report of the stage at hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::suite::again::{Again, Flaky};
use crate::suite::tally::Tally;
use xtask::output::{Captured, excerpt};
use xtask::parts::kafka::Kafka;
use xtask::parts::{KAFKA_ADDRESS, given};
use xtask::process::interrupted;
use xtask::progress::Progress;
use xtask::workspace::Workspace;

/// One run of the suite.
pub(crate) struct Session<'a> {
    pub(crate) workspace: &'a Workspace,
    logs: PathBuf,
    /// Started by the first stage that needs it, stopped when the session ends.
    kafka: Option<Kafka>,
    report: Report,
}

/// What a stage found.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) tally: Tally,
    pub(crate) failures: Vec<Failure>,
    pub(crate) flaky: Vec<Flaky>,
}

/// One step that failed.
pub(crate) struct Failure {
    pub(crate) what: String,
    pub(crate) text: String,
    pub(crate) log: Option<PathBuf>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(workspace: &'a Workspace) -> Result<Self> {
        let logs = workspace.target().join("xtask-logs");
        fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;
        Ok(Self {
            workspace,
            logs,
            kafka: None,
            report: Report::default(),
        })
    }

    /// Where every step's output is kept.
    pub(crate) fn logs(&self) -> &Path {
        &self.logs
    }

    /// Cargo, without the addresses of real servers: what is tested on them gets them explicitly.
    pub(crate) fn cargo<'s>(&self, arguments: impl IntoIterator<Item = &'s str>) -> Command {
        let mut command = self.workspace.command("cargo");
        command.args(arguments).env_remove(KAFKA_ADDRESS);
        command
    }

    /// Runs a command as a part of the current stage, counts its tests, and keeps its failure.
    pub(crate) fn step(
        &mut self,
        name: &str,
        command: Command,
        limit: Duration,
        progress: &Progress,
    ) -> Result<Captured> {
        let shown = shown(&command);
        let captured = self.capture(name, command, limit, progress)?;
        self.keep(name, &shown, captured)
    }

    /// The same for a command that tests: what failed runs again alone, and is flaky if it passes then. `command` makes
    /// the command with further arguments.
    pub(crate) fn tests(
        &mut self,
        name: &str,
        again: Again,
        command: impl Fn(&Self, &[String]) -> Command,
        limit: Duration,
        progress: &Progress,
    ) -> Result<Captured> {
        let first = command(self, &[]);
        let shown = shown(&first);
        let failed = self.capture(name, first, limit, progress)?;
        let runs = match failed.ok() {
            true => None,
            false => again.runs(failed.text()),
        };
        let Some(runs) = runs else {
            return self.keep(name, &shown, failed);
        };
        let mut passed = None;
        for (number, words) in (1..).zip(&runs) {
            let log = format!("{name}.again-{number}");
            let captured = self.capture(&log, command(self, words), limit, progress)?;
            let tally = Tally::of_tests(captured.text());
            let of_tests = matches!(again, Again::Cargo | Again::Binary);
            if !captured.ok() || (of_tests && tally.passed == 0) {
                return self.keep(name, &shown, failed);
            }
            passed = Some(captured);
        }
        let passed = passed.context("a part that failed ran again")?;
        self.report.tally += Tally::of_tests(failed.text()).after_all();
        self.report.flaky.push(Flaky {
            what: format!("{name}: {}", named(&runs, &shown)),
            text: excerpt(failed.text()),
            log: failed.log().to_owned(),
        });
        // The caller reads the report of a run that passed; of tests it reads nothing.
        Ok(passed)
    }

    fn capture(
        &self,
        name: &str,
        command: Command,
        limit: Duration,
        progress: &Progress,
    ) -> Result<Captured> {
        let log = self.logs.join(format!("{name}.log"));
        progress.activity(&shown(&command));
        Captured::run(command, &log, limit, |line| progress.activity(line))
    }

    fn keep(&mut self, name: &str, shown: &str, captured: Captured) -> Result<Captured> {
        self.report.tally += Tally::of_tests(captured.text());
        if !captured.ok() {
            let what = format!("{name}: {} (`{shown}`)", captured.ending());
            let text = captured.text().to_owned();
            self.report.failures.push(Failure {
                what,
                text,
                log: Some(captured.log().to_owned()),
            });
            if let Some(kafka) = &self.kafka {
                kafka.check()?;
            }
        }
        Ok(captured)
    }

    /// The address of a real broker: the one in the environment, else one that is brought up now.
    pub(crate) fn kafka(&mut self, progress: &Progress) -> Result<String> {
        if let Some(address) = given(KAFKA_ADDRESS) {
            return Ok(address);
        }
        if self.kafka.is_none() {
            self.kafka = Some(Kafka::start(self.workspace, 1, progress)?);
        }
        match &self.kafka {
            Some(kafka) => kafka.check().map(|()| kafka.address()),
            None => bail!("no broker"),
        }
    }

    /// Ends the current stage. An error that is not a step's failure, such as a missing package, is one more failure.
    pub(crate) fn finish(&mut self, outcome: Result<()>) -> Report {
        if let Err(error) = outcome {
            if interrupted() {
                xtask::process::leave_to_interrupt();
            }
            let what = format!("{error:#}");
            self.report.failures.push(Failure {
                what,
                text: String::new(),
                log: None,
            });
        }
        std::mem::take(&mut self.report)
    }
}

/// What ran again: names of tests or scenarios, else the command.
fn named(runs: &[Vec<String>], shown: &str) -> String {
    let names: Vec<&str> = runs
        .iter()
        .filter_map(|words| words.last().map(String::as_str))
        .collect();
    match names.is_empty() {
        true => shown.to_owned(),
        false => names.join(", "),
    }
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: &str = "test b ... FAILED\nfailures:\n\n---- b stdout ----\nboom\n\nfailures:\n    b\n\n\
        test result: FAILED. 2 passed; 1 failed\n";
    const LIMIT: Duration = Duration::from_secs(60);

    /// A test binary whose test `b` fails among others, and alone does what `alone` says.
    fn run(name: &str, alone: &'static str) -> Report {
        let workspace = Workspace::find().unwrap();
        let mut session = Session::new(&workspace).unwrap();
        let command = |_: &Session<'_>, more: &[String]| {
            let mut command = Command::new("sh");
            let script = match more {
                [] => format!("printf '{FAILED}'; exit 101"),
                _ => format!("test \"$*\" = '--exact b' && {alone}"),
            };
            command.args(["-c", &script, "binary"]).args(more);
            command
        };
        let progress = Progress::start("unit");
        let outcome = session.tests(name, Again::Binary, command, LIMIT, &progress);
        session.finish(outcome.map(drop))
    }

    #[test]
    fn a_test_that_passes_alone_is_flaky() {
        let report = run(
            "unit-flaky",
            "echo 'test result: ok. 1 passed; 0 failed; 2 filtered out'",
        );
        assert!(report.failures.is_empty());
        assert_eq!((report.tally.passed, report.tally.failed), (3, 0));
        let [flaky] = &report.flaky[..] else {
            panic!("one test is flaky");
        };
        assert_eq!(flaky.what, "unit-flaky: b");
        assert!(flaky.text.contains("boom"), "{}", flaky.text);
    }

    #[test]
    fn a_test_that_fails_again_is_a_failure() {
        let report = run(
            "unit-failure",
            "echo 'test result: FAILED. 0 passed; 1 failed'; exit 101",
        );
        assert!(report.flaky.is_empty());
        assert_eq!(report.failures.len(), 1);
        assert_eq!((report.tally.passed, report.tally.failed), (2, 1));
    }

    #[test]
    fn a_test_that_does_not_run_again_is_a_failure() {
        let report = run("unit-none", "echo 'test result: ok. 0 passed; 0 failed'");
        assert_eq!((report.flaky.len(), report.failures.len()), (0, 1));
    }
}
