//! Tasks, written by a well-behaved producer past the proxies, so that a fault meets the services alone.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use events_kafka::header;
use faults::{History, Line, TASKS, What};
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;

use crate::cluster::Cluster;
use crate::wait::{LONG, until};

/// The source of every task.
pub(crate) const SOURCE: &str = "faults";
/// Tasks are written so often, in bursts.
const BURST: Duration = Duration::from_millis(20);

/// A task to be written.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) partition: i32,
    pub(crate) key: String,
    pub(crate) number: u64,
    pub(crate) kind: Kind,
}

/// What is wrong with a record, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Good,
    /// Written once more, with the same id.
    Duplicate,
    /// Its value is no JSON.
    Undecodable,
    /// A version that nobody knows, with a value that does not fit.
    Future,
    /// A type that nobody knows.
    Stranger,
}

impl Kind {
    /// The word in the history's note.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Good | Self::Duplicate => "",
            Self::Undecodable => "undecodable",
            Self::Future => "future",
            Self::Stranger => "stranger",
        }
    }
}

/// Writes tasks and writes them down.
pub(crate) struct Tasks {
    producer: ThreadedProducer<Acknowledged>,
}

impl Tasks {
    pub(crate) fn new(cluster: &Cluster, history: Arc<History>) -> Result<Self> {
        let mut config = cluster.config();
        config.set("enable.idempotence", "true");
        config.set("linger.ms", "2");
        // A killed broker is back in ten seconds.
        config.set("message.timeout.ms", "60000");
        let failed = Mutex::default();
        let context = Acknowledged { history, failed };
        Ok(Self {
            producer: ThreadedProducer::from_config_and_context(&config, context)?,
        })
    }

    pub(crate) fn write(&self, entry: &Entry) -> Result<()> {
        let id = format!("t{}", entry.number);
        let text = |key, value| Header {
            key,
            value: Some(value),
        };
        let event = match entry.kind {
            Kind::Stranger => "Stranger",
            _ => "FaultTask",
        };
        let mut headers = OwnedHeaders::new_with_capacity(6)
            .insert(text(header::SPEC_VERSION, "1.0"))
            .insert(text(header::ID, &id))
            .insert(text(header::SOURCE, SOURCE))
            .insert(text(header::TYPE, event))
            .insert(text(header::CONTENT_TYPE, "application/json"));
        let mut value = format!(r#"{{"key":"{}","number":{}}}"#, entry.key, entry.number);
        match entry.kind {
            Kind::Undecodable => value.truncate(value.len() / 2),
            Kind::Future => {
                headers = headers.insert(text(header::EVENT_VERSION, "99"));
                value = r#"{"from":"the future"}"#.into();
            }
            _ => {}
        }
        let line = Line {
            what: What::Produced,
            id: id.clone(),
            key: entry.key.clone(),
            attempt: if entry.kind == Kind::Duplicate { 2 } else { 1 },
            note: entry.kind.word().into(),
            ..Line::default()
        };
        let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
        until("the producer has room", LONG, || {
            let record: BaseRecord<'_, str, str, Box<Line>> =
                BaseRecord::with_opaque_to(TASKS, Box::new(line.clone()))
                    .partition(entry.partition)
                    .headers(headers.clone())
                    .key(&*entry.key)
                    .payload(&*value);
            match self.producer.send(record) {
                Err((error, _)) if error == full => Err(error.to_string()),
                outcome => Ok(outcome.map_err(|(error, _)| error)),
            }
        })??;
        Ok(())
    }

    /// Waits until every task is acknowledged.
    pub(crate) fn flush(&self) -> Result<()> {
        self.producer
            .flush(LONG)
            .context("tasks were not acknowledged")?;
        let failed = &self.producer.context().failed;
        let failed = failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.first().map_or(Ok(()), |error| {
            Err(anyhow!("a task could not be written: {error}"))
        })
    }
}

struct Acknowledged {
    history: Arc<History>,
    failed: Mutex<Vec<String>>,
}

impl ClientContext for Acknowledged {}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = Box<Line>;

    fn delivery(&self, result: &DeliveryResult<'_>, line: Box<Line>) {
        let failed = match result {
            // The broker says that it has had it before and does not know where: then it may as well have lost it.
            Ok(message) if message.offset() < 0 => Some("it has no offset".to_owned()),
            Ok(message) => {
                let written = self.history.append(Line {
                    partition: message.partition(),
                    offset: message.offset(),
                    ..*line
                });
                written.err().map(|error| error.to_string())
            }
            Err((error, _)) => Some(error.to_string()),
        };
        if let Some(failed) = failed {
            let mut all = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(failed);
        }
    }
}

/// What a load writes.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) keys: u64,
    pub(crate) partitions: u64,
    /// Keys by name that get a task in every hundred.
    pub(crate) further: Vec<String>,
    /// One task in so many is written twice; 0 for none.
    pub(crate) duplicates: u64,
}

/// A load that goes on until it is ended.
pub(crate) struct Load {
    enough: Arc<AtomicBool>,
    rate: Arc<AtomicU64>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Load {
    /// Writes `rate` tasks a second, and takes their numbers from `numbers`.
    pub(crate) fn start(
        tasks: Tasks,
        plan: Plan,
        rate: u64,
        numbers: Arc<AtomicU64>,
        seed: u64,
    ) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let rate = Arc::new(AtomicU64::new(rate));
        let (stop, speed) = (Arc::clone(&enough), Arc::clone(&rate));
        let thread = thread::spawn(move || write(&tasks, &plan, &speed, &numbers, seed, &stop));
        Self {
            enough,
            rate,
            thread: Some(thread),
        }
    }

    pub(crate) fn set_rate(&self, rate: u64) {
        self.rate.store(rate, Ordering::Relaxed);
    }

    /// Ends it, and waits until all of it is acknowledged.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.enough.store(true, Ordering::Relaxed);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            _ => bail!("the load panicked"),
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.enough.store(true, Ordering::Relaxed);
    }
}

fn write(
    tasks: &Tasks,
    plan: &Plan,
    rate: &AtomicU64,
    numbers: &AtomicU64,
    seed: u64,
    enough: &AtomicBool,
) -> Result<()> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut owed = 0.0;
    let mut last = Instant::now();
    while !enough.load(Ordering::Relaxed) {
        thread::sleep(BURST);
        owed += last.elapsed().as_secs_f64() * rate.load(Ordering::Relaxed) as f64;
        last = Instant::now();
        while owed >= 1.0 {
            owed -= 1.0;
            let number = numbers.fetch_add(1, Ordering::Relaxed);
            let entry = entry(plan, number, &mut random);
            tasks.write(&entry)?;
            if plan.duplicates > 0 && random.u64(..plan.duplicates) == 0 {
                let kind = Kind::Duplicate;
                tasks.write(&Entry { kind, ..entry })?;
            }
        }
    }
    tasks.flush()
}

fn entry(plan: &Plan, number: u64, random: &mut fastrand::Rng) -> Entry {
    let named = plan.further.len() as u64;
    let drawn = random.u64(..100.max(named));
    let (key, place) = match plan.further.get(drawn as usize) {
        Some(key) => (key.clone(), drawn),
        None => {
            let key = random.u64(..plan.keys);
            (format!("k{key}"), key)
        }
    };
    Entry {
        partition: (place % plan.partitions) as i32,
        key,
        number,
        kind: Kind::Good,
    }
}
