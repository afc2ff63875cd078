//! Blocking attempts that never return and fill tokio's pool. Its bound is small here, so that few of them do.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use events_kafka::{ClientOptions, Producer, Runtime, State, event, handler};
use events_testkit::eventually;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

const THREADS: usize = 4;
const DRAIN: Duration = Duration::from_secs(1);
/// The drain, five seconds to leave the group, and as much for a busy machine.
const IN_TIME: Duration = Duration::from_secs(11);

/// A task whose attempt never returns.
#[event(topic = "pool-tasks", key = key)]
struct Task {
    key: String,
}

/// Something that a service does whose handlers are async.
#[event(topic = "pool-others", key = key)]
struct Other {
    key: String,
}

/// It was done.
#[event(topic = "pool-results", key = key)]
struct Done {
    key: String,
}

/// What attempts wait for.
#[derive(Default)]
struct Gate {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        drop(self.changed.wait_while(state, |(_, open)| !*open).unwrap());
    }

    fn waiting(&self) -> usize {
        self.state.lock().unwrap().0
    }
}

/// Opens the gate whatever happens: a thread that waits for ever would keep the runtime from ending.
struct Opens(Arc<Gate>);

impl Drop for Opens {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().1 = true;
        self.0.changed.notify_all();
    }
}

#[handler(service = "pool-stuck", blocking)]
fn get_stuck(_task: Task, gate: State<Gate>) {
    gate.pass();
}

#[handler(service = "pool-other")]
async fn do_other(other: Other, done: State<Mutex<Vec<String>>>) -> Done {
    done.lock().unwrap().push(other.key.clone());
    Done { key: other.key }
}

/// Neither a start nor a drain waits for a thread of the pool, of this service or of another one in the process.
#[test]
fn a_full_blocking_pool_keeps_no_service_from_starting_or_ending() {
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(THREADS)
        .enable_all()
        .build()
        .unwrap();
    let cluster: MockCluster<'static, DefaultProducerContext> = MockCluster::new(1).unwrap();
    for topic in [
        "pool-tasks",
        "pool-others",
        "pool-results",
        "pool-stuck.dead-letters",
        "pool-other.dead-letters",
    ] {
        cluster.create_topic(topic, 1, 1).unwrap();
    }
    let client = || {
        ClientOptions::without_environment().set("bootstrap.servers", cluster.bootstrap_servers())
    };
    let runtime = |name| {
        Runtime::new(name).client(client()).configure(|settings| {
            settings.park = None;
            settings.drain = DRAIN;
        })
    };
    let gate = Arc::new(Gate::default());
    let done = Arc::new(Mutex::new(Vec::<String>::new()));
    let _opens = Opens(Arc::clone(&gate));
    threads.block_on(async {
        let producer = Producer::connect("test", client()).unwrap();
        for task in 0..4 * THREADS {
            let task = Task {
                key: format!("k{task}"),
            };
            producer.publish(&task).await.unwrap();
        }
        let stuck = runtime("pool-stuck").shared_state(Arc::clone(&gate));
        let stuck = stuck.spawn().await.unwrap();
        eventually("the pool is full", async || gate.waiting() >= THREADS).await;

        let other = runtime("pool-other").shared_state(Arc::clone(&done));
        let other = other.spawn().await.unwrap();
        let key = "beside the full pool".to_owned();
        producer.publish(&Other { key }).await.unwrap();
        eventually("another service works", async || {
            done.lock().unwrap().len() == 1
        })
        .await;

        let began = Instant::now();
        let drained = async { tokio::join!(other.drain(), stuck.drain()) };
        let drained = tokio::time::timeout(IN_TIME, drained).await;
        let (other, stuck) = drained.expect("D9: the drains end in time");
        println!("drained after {:?}", began.elapsed());
        let edge = producer.close(Duration::from_secs(5)).await;
        assert_eq!(edge, 0);
        assert!(other.drained, "{other:?}");
        assert_eq!(
            (stuck.abandoned, stuck.overdue),
            (THREADS, THREADS),
            "what waited for a thread never began: {stuck:?}"
        );
    });
}
