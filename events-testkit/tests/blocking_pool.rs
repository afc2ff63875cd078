//! Blocking attempts that wait for a thread: the pool is tokio's, bounded, and shared by all handlers of a process.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use events_core::{State, event, handler};
use events_runtime::Service;
use events_testkit::{Broker, eventually};
use tokio::runtime::Runtime;

const TIMEOUT: Duration = Duration::from_millis(200);
const THREADS: usize = 2;
const TASKS: usize = 6;

#[event(topic = "pool-tasks", key = key)]
struct Task {
    key: String,
}

/// Attempts that wait until they may return.
#[derive(Default)]
struct Gate {
    begun: Mutex<Vec<String>>,
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self, key: String) {
        self.begun.lock().unwrap().push(key);
        let open = self.open.lock().unwrap();
        drop(self.opened.wait_while(open, |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn begun(&self) -> Vec<String> {
        self.begun.lock().unwrap().clone()
    }
}

/// Opens the gate whatever happens: a thread that waits for ever would keep the runtime from ending.
struct Opens(Arc<Gate>);

impl Drop for Opens {
    fn drop(&mut self) {
        self.0.open();
    }
}

#[handler(service = "pool", blocking, timeout = "200ms")]
fn work(task: Task, gate: State<Gate>) {
    gate.pass(task.key);
}

/// A runtime whose pool is full once as many attempts run as it has threads.
fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(THREADS)
        .enable_all()
        .build()
        .unwrap()
}

fn service(gate: &Arc<Gate>) -> Service {
    Service::new("pool")
        .shared_state(Arc::clone(gate))
        .configure(|settings| {
            settings.park = None;
            settings.drain = Duration::from_millis(100);
            settings.commit_interval = Duration::from_millis(20);
        })
}

fn publish(broker: &Broker) {
    for task in 0..TASKS {
        broker.publish(&Task {
            key: format!("k{task}"),
        });
    }
}

#[test]
fn the_time_of_a_blocking_attempt_begins_when_it_has_a_thread() {
    runtime().block_on(async {
        let broker = Broker::new();
        broker.auto_create(1);
        let gate = Arc::new(Gate::default());
        let _opens = Opens(Arc::clone(&gate));
        let running = broker.join(service(&gate)).unwrap();
        publish(&broker);
        let overdue = async || {
            let status = running.status().await;
            status
                .handlers
                .iter()
                .map(|handler| handler.overdue)
                .sum::<u64>()
        };
        eventually("the attempts that have a thread are late", async || {
            overdue().await >= THREADS as u64
        })
        .await;
        // The others have waited as long, and wait as long again.
        let until = Instant::now() + 2 * TIMEOUT;
        eventually("time passes", async || Instant::now() > until).await;
        let late = overdue().await;
        gate.open();
        assert_eq!(late, THREADS as u64, "nothing is late that has not begun");
        eventually("all is done", async || {
            let committed = broker.committed("pool");
            committed.values().any(|at| at.watermark == TASKS as i64)
        })
        .await;
        running.shutdown().await;
        let keys: BTreeSet<_> = gate.begun().into_iter().collect();
        assert_eq!(
            (gate.begun().len(), keys.len()),
            (TASKS, TASKS),
            "once each"
        );
    });
}

#[test]
fn what_waits_for_a_thread_never_begins_once_its_partition_is_given_up() {
    runtime().block_on(async {
        let broker = Broker::new();
        broker.auto_create(1);
        let gate = Arc::new(Gate::default());
        let _opens = Opens(Arc::clone(&gate));
        let running = broker.join(service(&gate)).unwrap();
        publish(&broker);
        eventually("the pool is full", async || gate.begun().len() >= THREADS).await;
        let report = running.shutdown().await;
        gate.open();
        assert_eq!(
            (report.abandoned, report.overdue),
            (THREADS, THREADS),
            "{report:?}"
        );
        // The pool takes its jobs in their order, so those that were withdrawn come before this one.
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        assert_eq!(gate.begun().len(), THREADS);
    });
}
