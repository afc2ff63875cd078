//! One run: a random log, random faults, and members that come, go and die.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use events_core::{Outgoing, stable_hash};
use events_runtime::offset_map::OffsetMap;
use events_runtime::{TopicPartition, dead_letter_header as letter, parked_header as parked};
use events_testkit::{Broker, RunningService};
use tokio::time::sleep;

use crate::checks::{Outcome, Place, Sent};
use crate::log::{PARTITIONS, partition_of, random_key, send};
use crate::random::Random;
use crate::service::{DONE, GROUP, HANDLERS, Moment, TOPIC, World, service};

/// Far longer than parked records may wait.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Scenario {
    random: Random,
    broker: Broker,
    world: Arc<World>,
    processes: u64,
    running: Vec<RunningService>,
    sent: Vec<Sent>,
    committed: BTreeMap<Place, usize>,
    kills: bool,
    /// One record in so many may do harm.
    harm: u64,
}

fn dead_letters() -> String {
    format!("{GROUP}.dead-letters")
}

fn parked_log() -> String {
    format!("{GROUP}.parked.{TOPIC}")
}

impl Scenario {
    pub(crate) fn new(seed: u64, kills: bool) -> Self {
        let broker = Broker::new();
        broker.create_topic(TOPIC, PARTITIONS);
        broker.create_topic(DONE, 1);
        broker.create_topic(&dead_letters(), 1);
        broker.create_topic(&parked_log(), PARTITIONS);
        let mut random = Random::new(seed);
        Self {
            harm: 5 + random.below(8),
            random,
            broker,
            world: Arc::default(),
            processes: 0,
            running: Vec::new(),
            sent: Vec::new(),
            committed: BTreeMap::new(),
            kills,
        }
    }

    pub(crate) async fn play(mut self) {
        self.start();
        for _ in 0..10 + self.random.below(40) {
            self.step().await;
        }
        self.heal();
        self.rest().await;
        let journal = self.world.journal.lock().unwrap().clone();
        let outcome = Outcome {
            sent: &self.sent,
            journal: &journal,
            letters: &self.broker.records(&dead_letters()),
            done: &self.broker.records(DONE),
            committed: &self.committed,
            kills: self.kills,
        };
        outcome.check();
    }

    fn start(&mut self) {
        self.processes += 1;
        let service = service(self.processes, &self.world);
        self.running.push(self.broker.join(service).unwrap());
    }

    async fn step(&mut self) {
        let random = &mut self.random;
        match random.below(26) {
            0..8 => {
                for _ in 0..1 + random.below(25) {
                    self.sent.push(send(random, &self.broker, self.harm));
                }
            }
            8..12 => sleep(Duration::from_millis(random.below(60))).await,
            12 => sleep(Duration::from_millis(random.below(1_500))).await,
            13 if self.running.len() < 3 => self.start(),
            14 => self.leave().await,
            15 if self.kills => self.kill().await,
            16 => self.pause_or_resume(),
            17 => match random.below(4) {
                0 => self.broker.hold_acks(),
                1 => self.broker.lose_acks(),
                _ => self.broker.release_acks(),
            },
            18 => self.broker.fill_queue(random.below(5) as usize),
            19 => {
                let (records, written) = (random.below(4) as usize, random.once_in(2));
                self.broker.lose_producer(records, written);
            }
            20 => {
                let topics = [DONE.to_owned(), dead_letters(), parked_log()];
                let topic = &topics[random.below(3) as usize];
                match random.once_in(2) {
                    true => self.broker.refuse(topic, "no right"),
                    false => self.accept_all(),
                }
            }
            21 => {
                let partition = random.below(PARTITIONS as u64) as i32;
                let partition = TopicPartition::new(TOPIC, partition);
                let offsets = 1 + random.below(70) as i64;
                self.broker.skip_offsets(&partition, offsets);
            }
            22 => self.redrive(),
            24 => {
                let topics = [dead_letters(), parked_log()];
                let topic = &topics[random.below(2) as usize];
                self.broker.limit(topic, 300 + random.below(900) as usize);
            }
            25 => self.skip_head(),
            23 => self.retry_now(),
            _ => {}
        }
    }

    /// One that leaves drains: what it waits for comes.
    async fn leave(&mut self) {
        if !self.running.is_empty() {
            let place = self.random.below(self.running.len() as u64) as usize;
            let running = self.running.remove(place);
            self.broker.release_acks();
            self.accept_all();
            let report = running.shutdown().await;
            assert!(report.drained, "{report:?}");
        }
        if self.running.is_empty() {
            self.start();
        }
    }

    async fn kill(&mut self) {
        let place = self.random.below(self.running.len() as u64) as usize;
        self.running.remove(place).kill().await;
        self.note_committed();
        if self.running.is_empty() || self.random.once_in(2) {
            self.start();
        }
    }

    /// What is committed as done and was handled with success must not be handled again. Of a parked record the parked log tells
    /// whether it is done.
    fn note_committed(&mut self) {
        let committed = self.broker.committed(GROUP);
        let (mut copies, mut done) = (BTreeMap::new(), BTreeSet::new());
        for fact in self.broker.records(&parked_log()) {
            let number = |name| fact.header_text(name)?.parse::<i64>().ok();
            match fact.header_text(parked::FACT).as_deref() {
                Some("parked") => {
                    let handler = fact.header_text(parked::HANDLER);
                    let of = (handler, fact.partition, number(parked::OFFSET));
                    copies.entry(of).or_insert(fact.offset);
                }
                Some("done") => drop(done.insert((fact.partition, number(parked::AT)))),
                _ => {}
            }
        }
        let journal = self.world.journal.lock().unwrap();
        let succeeded = journal.iter();
        let succeeded = succeeded.filter(|line| line.moment == Moment::Succeeded && !line.redriven);
        for line in succeeded {
            let name = format!("{GROUP}/{}", line.handler);
            let handler = stable_hash(&name);
            let copy = copies.get(&(Some(name), line.partition, Some(line.offset)));
            if copy.is_some_and(|at| !done.contains(&(line.partition, Some(*at)))) {
                continue;
            }
            let partition = TopicPartition::new(TOPIC, line.partition);
            if committed.get(&partition).is_some_and(|position| {
                let map = OffsetMap::decode(position.watermark, &position.metadata);
                line.offset < position.watermark || map.is_done(handler, line.offset)
            }) {
                let known = self.committed.entry(line.place());
                known.or_insert(journal.len());
            }
        }
    }

    fn pause_or_resume(&mut self) {
        let handler = HANDLERS[self.random.below(HANDLERS.len() as u64) as usize].0;
        let resume = self.random.once_in(2);
        for running in &self.running {
            match resume {
                true => running.resume(handler),
                false => running.pause(handler),
            };
        }
    }

    fn action(&self, action: &str, handler: String, partition: i32) -> Outgoing {
        let mut fact = Outgoing::new(parked_log());
        fact.partition = Some(partition);
        fact.add_header(parked::FACT, "action");
        fact.add_header(parked::ACTION, action);
        fact.add_header(parked::HANDLER, handler);
        fact.add_header(parked::ACTOR, "jo");
        fact
    }

    /// Redrives any dead letter, once more if it was redriven before.
    fn redrive(&mut self) {
        let letters = self.broker.records(&dead_letters());
        let letters: Vec<_> = letters
            .iter()
            .filter(|dead| dead.header_text(letter::KIND).as_deref() == Some("record"))
            .collect();
        if letters.is_empty() {
            return;
        }
        let chosen = letters[self.random.below(letters.len() as u64) as usize];
        let text = |name| chosen.header_text(name).unwrap();
        let partition = text(letter::PARTITION).parse().unwrap();
        let mut fact = self.action("redrive", text(letter::HANDLER), partition);
        fact.add_header(parked::OFFSET, text(letter::OFFSET));
        let id = format!("{}/0/{}", chosen.topic, chosen.offset);
        fact.add_header(parked::REDRIVE, id);
        fact.add_header("x-redriven", "1");
        let headers = chosen.record.headers();
        for (name, value) in headers.filter(|(name, _)| !name.starts_with(b"dl_")) {
            fact.add_raw_header(name, value);
        }
        if let Some(key) = chosen.record.key() {
            fact.set_key(key);
        }
        fact.set_value(chosen.record.value().unwrap_or_default());
        self.broker.produce(fact).unwrap();
    }

    fn retry_now(&mut self) {
        let key = random_key(&mut self.random);
        let handler = HANDLERS[self.random.below(HANDLERS.len() as u64) as usize].0;
        let handler = format!("{GROUP}/{handler}");
        let mut fact = self.action("retry-now", handler, partition_of(&key));
        fact.set_key(key.as_bytes()).set_value(b"{}");
        self.broker.produce(fact).unwrap();
    }

    /// Skips a parked record, if it is the first of its key.
    fn skip_head(&mut self) {
        let log = self.broker.records(&parked_log());
        let parked = log.iter();
        let parked: Vec<_> = parked
            .filter(|fact| fact.header_text(parked::FACT).as_deref() == Some("parked"))
            .collect();
        if parked.is_empty() {
            return;
        }
        let chosen = parked[self.random.below(parked.len() as u64) as usize];
        let handler = chosen.header_text(parked::HANDLER).unwrap();
        let mut fact = self.action("skip-head", handler, chosen.partition);
        if let Some(key) = chosen.record.key() {
            fact.set_key(key);
        }
        fact.add_header(parked::AT, chosen.offset.to_string());
        fact.set_value(b"{}");
        self.broker.produce(fact).unwrap();
    }

    fn accept_all(&self) {
        for topic in [DONE.to_owned(), dead_letters(), parked_log()] {
            self.broker.accept(&topic);
            self.broker.limit(&topic, 1_000_000);
        }
    }

    /// Ends all faults.
    fn heal(&mut self) {
        *self.world.healed.lock().unwrap() = true;
        self.broker.release_acks();
        self.broker.fill_queue(0);
        self.broker.lose_producer(0, false);
        self.accept_all();
        if self.running.is_empty() {
            self.start();
        }
        for running in &self.running {
            for (handler, _) in HANDLERS {
                running.resume(handler);
            }
        }
    }

    /// Waits until all is done, and ends.
    async fn rest(&mut self) {
        // Offsets that are left out at the end of the log are not received.
        let mut ends = BTreeMap::new();
        for sent in &self.sent {
            ends.insert(sent.partition, sent.offset + 1);
        }
        let waits = async {
            loop {
                let committed = self.broker.committed(GROUP);
                let is_done = |(partition, end): (&i32, &i64)| {
                    let position = committed.get(&TopicPartition::new(TOPIC, *partition));
                    position.is_some_and(|position| position.watermark >= *end)
                };
                let mut lanes = Vec::new();
                for running in &self.running {
                    lanes.extend(running.status().await.lanes);
                }
                let quiet = lanes.iter().filter(|lane| {
                    let open = lane.in_flight + lane.running + lane.held + lane.unacknowledged;
                    open == 0
                        && lane.parked_keys + lane.parked_records == 0
                        && lane.holding.is_none()
                        && lane.unhealthy.is_none()
                        && lane.holds.is_empty()
                        && lane.troubles.is_empty()
                });
                if ends.iter().all(is_done) && quiet.count() == PARTITIONS as usize {
                    return;
                }
                self.world.lanes.lock().unwrap().clone_from(&lanes);
                sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waits).await.is_err() {
            panic!("not all is done: {:#?}", self.world.lanes.lock().unwrap());
        }
        for running in self.running.drain(..) {
            let report = running.shutdown().await;
            assert!(report.drained, "{report:?}");
        }
    }
}
