//! Says that the process runs, beside everything else on its runtime, and how long its threads waited for a processor: what
//! the machine kept from running is told from what kept itself.

use std::fs;

use faults::{BEAT, Behaviour, History, Line, What};

pub(crate) fn start(behaviour: &Behaviour) -> anyhow::Result<()> {
    let history = History::open(&behaviour.history, &behaviour.who)?;
    tokio::spawn(async move {
        for offset in 0.. {
            let line = Line {
                what: What::Alive,
                partition: -1,
                offset,
                note: waited().map_or_else(String::new, |waited| waited.to_string()),
                ..Line::default()
            };
            // Without the line less is excused.
            let _ = history.append(line);
            tokio::time::sleep(BEAT).await;
        }
    });
    Ok(())
}

/// Microseconds that all threads have waited for a processor; none if the system does not count.
fn waited() -> Option<u64> {
    let mut nanos = 0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        // One that has ended meanwhile waits no more.
        let Ok(text) = fs::read_to_string(thread.ok()?.path().join("schedstat")) else {
            continue;
        };
        nanos += text.split_whitespace().nth(1)?.parse::<u64>().ok()?;
    }
    Some(nanos / 1_000)
}
