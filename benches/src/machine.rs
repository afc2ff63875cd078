//! What this process uses, and what it runs on.

use std::fs;
use std::thread;

use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;

/// Processor seconds of this process, all threads.
pub(crate) fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// The most memory that this process ever held, in MiB; 0 where the system does not say.
pub(crate) fn peak_mib() -> f64 {
    status("VmHWM:")
}

/// The memory that this process holds, in MiB; 0 where the system does not say.
pub(crate) fn resident_mib() -> f64 {
    status("VmRSS:")
}

fn status(field: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// What the figures were made on.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) memory_gib: f64,
    pub(crate) system: String,
    pub(crate) client: String,
    pub(crate) compiler: String,
}

impl Machine {
    pub(crate) fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_once(':'))
                .map(|(_, value)| value.trim().to_owned())
        };
        let kib = field(&read("/proc/meminfo"), "MemTotal")
            .and_then(|total| total.trim_end_matches(" kB").parse::<f64>().ok());
        let compiler = std::process::Command::new("rustc")
            .arg("--version")
            .output();
        let compiler =
            compiler.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        Self {
            cores: thread::available_parallelism().map_or(0, usize::from),
            processor: field(&read("/proc/cpuinfo"), "model name")
                .unwrap_or_else(|| "unknown processor".to_owned()),
            memory_gib: (kib.unwrap_or(0.0) / 1024.0 / 1024.0).round(),
            system: format!(
                "{} {}",
                std::env::consts::OS,
                read("/proc/sys/kernel/osrelease").trim()
            ),
            client: format!("librdkafka {}", rdkafka::util::get_rdkafka_version().1),
            compiler: compiler.unwrap_or_default(),
        }
    }
}
