//! A worker: a process of its own, which ends with its test.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use end_to_end_tests::Behaviour;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::wait::until;

/// Lines of a worker's log that a failed test shows.
const TAIL: usize = 40;

/// A running worker.
pub(crate) struct Worker {
    child: Child,
    output: PathBuf,
    log: PathBuf,
}

/// How a worker ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// The shutdown report of its one service.
    pub(crate) report: Value,
}

/// The worker's program, without a subcommand.
fn command(behaviour: &Behaviour) -> Command {
    let behaviour = serde_json::to_string(behaviour).expect("a behaviour is JSON");
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KAFKA_") {
            command.env_remove(name);
        }
    }
    command
        .env(Behaviour::VARIABLE, behaviour)
        .env("KAFKA_BOOTSTRAP_SERVERS", Cluster::shared().address())
        .env("RUST_LOG", "info");
    command
}

/// What `check --broker` of a worker prints as JSON.
pub(crate) fn check(behaviour: &Behaviour) -> Value {
    let output = command(behaviour)
        .args(["check", "--broker", "--json"])
        .output()
        .expect("the worker starts");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

impl Worker {
    /// Starts a worker. `properties` are variables of the environment, such as `KAFKA_GROUP_PROTOCOL`.
    pub(crate) fn start(
        name: &str,
        directory: &Path,
        behaviour: &Behaviour,
        properties: &[(&str, &str)],
    ) -> Self {
        let output = directory.join(format!("{name}.out"));
        let log = directory.join(format!("{name}.log"));
        let child = command(behaviour)
            .args(["run", "--json"])
            .envs(properties.iter().copied())
            .stdin(Stdio::null())
            .stdout(File::create(&output).expect("a file can be made"))
            .stderr(File::create(&log).expect("a file can be made"))
            .spawn()
            .expect("the worker starts");
        Self { child, output, log }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("the log can be read")
    }

    /// Ends it at once.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        let status = self.child.wait().expect("a child can be waited for");
        assert_eq!(status.signal(), Some(Signal::SIGKILL as i32), "{status}");
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    /// Asks it to end as ctrl-c does.
    pub(crate) fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// Lets it do nothing, as a frozen container does, until it is resumed.
    pub(crate) fn suspend(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn stop(self) -> Ended {
        self.terminate();
        self.ended()
    }

    /// Waits until it has ended without a report; answers how, and its log.
    pub(crate) fn gave_up(mut self) -> (ExitStatus, String) {
        (self.awaited(), self.log())
    }

    fn awaited(&mut self) -> ExitStatus {
        until("the worker ends", || {
            let status = self.child.try_wait().expect("a child can be waited for");
            status.ok_or_else(|| "it still runs".to_owned())
        })
    }

    /// Waits until it has ended by itself or on a signal that it handles.
    pub(crate) fn ended(mut self) -> Ended {
        let status = self.awaited();
        let text = fs::read_to_string(&self.output).expect("the output can be read");
        let report: Value = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("no report ({error}): {text:?}"));
        let log = self.log();
        assert!(!log.contains("panicked"), "the worker panicked");
        Ended {
            status,
            report: report[0].clone(),
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid().cast_signed());
        kill(pid, signal).expect("the worker runs");
    }
}

impl Ended {
    /// It says that nothing was abandoned, and its exit code says the same.
    #[track_caller]
    pub(crate) fn drained(&self) {
        assert_eq!(self.report["drained"], true, "{}", self.report);
        assert_eq!(self.report["abandoned"], 0, "{}", self.report);
        assert_eq!(self.status.code(), Some(0), "{}", self.report);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It has ended, or its test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(TAIL)..];
            eprintln!("--- {}\n{}", self.log.display(), tail.join("\n"));
        }
    }
}
