//! What the stages of one run share: the broker, the log directory, the report of the stage at hand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::suite::tally::Tally;
use xtask::output::Captured;
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
        let log = self.logs.join(format!("{name}.log"));
        let shown = shown(&command);
        progress.activity(&shown);
        let captured = Captured::run(command, &log, limit, |line| progress.activity(line))?;
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
