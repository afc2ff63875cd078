//! What the worker does at the engine's failpoints: it writes the telling ones down, and dies at the one it was told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use events_kafka::TopicPartition;
use events_runtime::failpoints;
use faults::{Kill, Line, TASKS, What};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::attempts::Attempts;

static POINTS: OnceLock<Points> = OnceLock::new();

struct Points {
    attempts: Arc<Attempts>,
    kill: Option<Kill>,
    /// How often the deadly point was reached.
    reached: AtomicU64,
}

pub(crate) fn install(attempts: Arc<Attempts>, kill: Option<Kill>) {
    let points = Points {
        attempts,
        kill,
        reached: AtomicU64::new(0),
    };
    if POINTS.set(points).is_ok() {
        failpoints::install(reached);
    }
}

fn reached(point: &'static str, partition: &TopicPartition, number: i64) {
    let Some(points) = POINTS.get() else {
        return;
    };
    if partition.topic != TASKS {
        return;
    }
    let what = match point {
        "assign" => Some(What::Assigned),
        "lost" => Some(What::Lost),
        "park-before" => Some(What::Parking),
        "emit-after" => Some(What::Emitted),
        "ack-before" => Some(What::Acked),
        "commit-before" => Some(What::Commit),
        _ => None,
    };
    if point == "assign" {
        let epoch = u32::try_from(number).unwrap_or(u32::MAX);
        points.attempts.assigned(partition.partition, epoch);
    }
    if let Some(what) = what {
        let line = Line {
            what,
            partition: partition.partition,
            offset: number,
            ..Line::default()
        };
        // The bench finds out: what is not written counts as not done.
        let _ = points.attempts.history.append(line);
    }
    let deadly = points.kill.as_ref().filter(|kill| kill.point == point);
    if let Some(deadly) = deadly
        && points.reached.fetch_add(1, Ordering::Relaxed) >= deadly.after
    {
        // Nothing of this process runs after it.
        let _ = kill(Pid::this(), Signal::SIGKILL);
    }
}
