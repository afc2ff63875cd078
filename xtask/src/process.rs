//! Child processes that end when xtask ends, however it ends.
//!
//! Each child leads its own process group and has a guard beside it: a small shell that reads from a pipe which
//! only xtask holds open. When the pipe closes (a normal end, an error, a panic, Ctrl-C, even SIGKILL of xtask) the
//! guard signals the group, waits until it is empty, and removes the child's scratch directory.

use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// `$1` signal, `$2` tenths of a second before SIGKILL, `$3` process group, `$4` scratch directory or nothing.
/// The second limit gives SIGKILL two seconds to take effect before the directory goes.
const GUARD: &str = r#"
trap '' INT TERM HUP
read -r _
kill -s "$1" -- "-$3" 2>/dev/null
tenths=0
while kill -s 0 -- "-$3" 2>/dev/null && [ "$tenths" -lt "$(($2 + 20))" ]; do
    if [ "$tenths" -eq "$2" ]; then kill -s KILL -- "-$3" 2>/dev/null; fi
    tenths=$((tenths + 1))
    sleep 0.1
done
if [ -n "$4" ]; then rm -rf -- "$4"; fi
"#;

/// How often a running child is looked at. A stage lasts seconds to minutes, so nobody notices the delay.
const LOOK: Duration = Duration::from_millis(20);

/// Every child that is up, so that Ctrl-C can take all of them down before xtask exits.
static RUNNING: Mutex<Vec<Entry>> = Mutex::new(Vec::new());
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

struct Entry {
    child: Arc<Mutex<Child>>,
    guard: Child,
}

/// How a child is asked to go.
#[derive(Clone, Copy)]
pub enum Farewell {
    /// SIGTERM, then SIGKILL after five seconds.
    Ask,
    /// SIGINT, then SIGKILL after five seconds: PostgreSQL's "fast shutdown", which frees its shared memory.
    Interrupt,
    /// SIGKILL at once, for a broker whose data is thrown away with it.
    Kill,
}

impl Farewell {
    fn arguments(self) -> [&'static str; 2] {
        match self {
            Self::Ask => ["TERM", "50"],
            Self::Interrupt => ["INT", "50"],
            Self::Kill => ["KILL", "0"],
        }
    }
}

/// A child in its own process group. Dropping it takes the whole group down and waits for that.
pub struct Process {
    child: Arc<Mutex<Child>>,
}

impl Process {
    /// Starts `command`. `scratch` is removed once the process is gone.
    pub fn spawn(
        command: &mut Command,
        farewell: Farewell,
        scratch: Option<PathBuf>,
    ) -> Result<Self> {
        if interrupted() {
            bail!("interrupted");
        }
        let name = command.get_program().to_string_lossy().into_owned();
        let child = match command.process_group(0).spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("`{name}` is not installed or not on PATH")
            }
            Err(error) => return Err(error).with_context(|| format!("cannot start `{name}`")),
        };
        let guard = Command::new("sh")
            .args(["-c", GUARD, "xtask-guard"])
            .args(farewell.arguments())
            .arg(child.id().to_string())
            .arg(scratch.unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        let child = Arc::new(Mutex::new(child));
        match guard {
            Ok(guard) => running().push(Entry {
                child: Arc::clone(&child),
                guard,
            }),
            Err(error) => {
                let _ = lock(&child).kill();
                return Err(error)
                    .context("cannot start `sh`, which guards every child process of xtask");
            }
        }
        Ok(Self { child })
    }

    /// The process's number, for signals.
    pub fn id(&self) -> u32 {
        lock(&self.child).id()
    }

    /// The exit status, if the process has ended.
    pub fn ended(&self) -> Result<Option<ExitStatus>> {
        lock(&self.child)
            .try_wait()
            .context("cannot look at a child process")
    }

    /// Waits for the end; past `limit` gives up with an error (dropping the process then takes it down).
    pub fn wait(&self, limit: Duration) -> Result<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            if interrupted() {
                bail!("interrupted");
            }
            if start.elapsed() > limit {
                bail!("still running after {} s, its limit", limit.as_secs());
            }
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let entry = {
            let mut running = running();
            let place = running
                .iter()
                .position(|entry| Arc::ptr_eq(&entry.child, &self.child));
            place.map(|place| running.swap_remove(place))
        };
        // No entry means that Ctrl-C took it, and takes it down on its own thread.
        if let Some(entry) = entry {
            take_down(vec![entry]);
        }
    }
}

/// From here on Ctrl-C, SIGTERM and SIGHUP take every child down before xtask exits with code 130.
pub fn catch_interrupts() -> Result<()> {
    ctrlc::set_handler(|| {
        INTERRUPTED.store(true, Ordering::SeqCst);
        let entries = std::mem::take(&mut *running());
        take_down(entries);
        eprintln!("stopped");
        std::process::exit(130);
    })
    .context("cannot install the Ctrl-C handler")
}

/// Whether Ctrl-C or a signal is ending xtask.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Parks the calling thread for good when Ctrl-C is being handled elsewhere, so that its exit code wins.
pub fn leave_to_interrupt() {
    while interrupted() {
        thread::park();
    }
}

/// Closes the guards' pipes, all first, and then waits until children and guards are gone.
fn take_down(mut entries: Vec<Entry>) {
    for entry in &mut entries {
        drop(entry.guard.stdin.take());
    }
    while !entries.is_empty() {
        entries.retain_mut(|entry| {
            // The child is reaped here too: as a zombie it would still count as alive for its guard.
            let _ = lock(&entry.child).try_wait();
            matches!(entry.guard.try_wait(), Ok(None))
        });
        thread::sleep(LOOK);
    }
}

fn running() -> MutexGuard<'static, Vec<Entry>> {
    lock(&RUNNING)
}

/// A panic elsewhere must not keep children from being taken down, so poisoning is ignored.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    #[test]
    fn dropping_a_process_takes_down_what_it_started_and_removes_its_scratch() {
        let scratch = tempfile::tempdir().unwrap().keep();
        let started = scratch.join("started");
        let mut command = shell("sleep 300 & echo $! > part; mv part started; sleep 300");
        command.current_dir(&scratch);
        let process = Process::spawn(&mut command, Farewell::Ask, Some(scratch.clone())).unwrap();
        let begun = Instant::now();
        while !started.exists() && begun.elapsed() < LONG {
            thread::sleep(LOOK);
        }
        let grandchild = std::fs::read_to_string(&started).unwrap();
        drop(process);
        // In a container whose first process reaps nobody a killed orphan stays a zombie: dead, with an empty command.
        let line =
            std::fs::read(format!("/proc/{}/cmdline", grandchild.trim())).unwrap_or_default();
        assert!(line.is_empty(), "the grandchild still runs");
        assert!(!scratch.exists());
    }

    #[test]
    fn a_process_past_its_limit_is_an_error() {
        let process = Process::spawn(&mut shell("sleep 300"), Farewell::Kill, None).unwrap();
        let error = process.wait(Duration::from_millis(1)).unwrap_err();
        assert!(error.to_string().starts_with("still running"), "{error}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Process::spawn(&mut Command::new("no-such-program"), Farewell::Ask, None)
            .err()
            .unwrap();
        assert_eq!(
            error.to_string(),
            "`no-such-program` is not installed or not on PATH"
        );
    }
}
