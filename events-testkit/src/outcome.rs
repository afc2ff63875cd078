//! What came of the records that a harness was given.

use std::any::{Any, TypeId, type_name};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use events_core::Event;
use events_runtime::{GroupPlan, Position, TopicPartition, dead_letter_header as letter};
use serde_json::Value;

use crate::broker::Broker;
use crate::received::Received;

/// The values that a service's handlers share.
#[derive(Default)]
pub(crate) struct Shared(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl Shared {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.0.insert(TypeId::of::<T>(), value);
    }

    fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        Arc::clone(self.0.get(&TypeId::of::<T>())?).downcast().ok()
    }
}

impl fmt::Debug for Shared {
    /// Counts alone: the values may not be `Debug`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.0.len()).finish()
    }
}

/// What came of the records that a [`Harness`](crate::Harness) was given.
#[derive(Debug)]
pub struct Outcome {
    broker: Broker,
    shared: Shared,
    emitted: Vec<Received>,
    dead_letters: Vec<DeadLetter>,
}

/// A record that a handler gave up, or an emission that could not be published.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The handler, as `service/handler`.
    pub handler: String,
    /// The key of the record.
    pub key: Option<String>,
    /// The error with its causes, outermost first, one a line.
    pub error: String,
    /// Attempts made.
    pub attempts: u32,
    /// The dead letter itself.
    pub record: Received,
}

impl DeadLetter {
    fn read(record: Received) -> Self {
        let text = |name: &str| record.header_text(name).unwrap_or_default();
        Self {
            handler: text(letter::HANDLER),
            key: record.key_text(),
            error: text(letter::ERROR),
            attempts: text(letter::ATTEMPTS).parse().unwrap_or(0),
            record,
        }
    }
}

impl Outcome {
    pub(crate) fn new(broker: Broker, plans: &[Arc<GroupPlan>], shared: Shared) -> Self {
        let is_letter =
            |record: &Received| plans.iter().any(|plan| *plan.dead_letters == *record.topic);
        let (letters, emitted): (Vec<_>, Vec<_>) =
            broker.published().into_iter().partition(is_letter);
        let dead_letters = letters.into_iter().map(DeadLetter::read).collect();
        Self {
            broker,
            shared,
            emitted,
            dead_letters,
        }
    }

    /// Everything that the handlers published, in the order in which it was written; dead letters aside.
    pub fn emitted(&self) -> &[Received] {
        &self.emitted
    }

    /// The published events of one type, in that order.
    ///
    /// # Panics
    ///
    /// When a record of the type is none.
    #[track_caller]
    pub fn emissions<E: Event>(&self) -> Vec<E> {
        let name = E::DESCRIPTOR.name;
        let records = self
            .emitted
            .iter()
            .filter(|record| record.event_type().as_deref() == Some(name));
        let decode = |record: &Received| {
            record
                .decode()
                .unwrap_or_else(|error| panic!("an emitted {name} cannot be read: {error:#}"))
        };
        records.map(decode).collect()
    }

    /// The dead letters, in the order in which they were written.
    pub fn dead_letters(&self) -> &[DeadLetter] {
        &self.dead_letters
    }

    /// A value that the handlers shared.
    ///
    /// # Panics
    ///
    /// When no such value was given to the harness.
    #[track_caller]
    pub fn state<T: Send + Sync + 'static>(&self) -> Arc<T> {
        let name = type_name::<T>();
        self.shared.get().unwrap_or_else(|| {
            panic!("the harness was given no state of type {name}: add `.state(…)`")
        })
    }

    /// What a consumer group has committed; the service's own group has its name.
    pub fn committed(&self, group: &str) -> BTreeMap<TopicPartition, Position> {
        self.broker.committed(group)
    }

    /// The events of type `E` that were published are these: those with one key in this order, since only keys are in
    /// order.
    ///
    /// # Panics
    ///
    /// When they are others; the message shows both, and the dead letters.
    #[track_caller]
    pub fn expect_emitted<E: Event>(&self, expected: &[E]) -> &Self {
        let emitted = self.emissions::<E>();
        let (expected, got) = (by_key(expected), by_key(&emitted));
        if expected != got {
            let name = E::DESCRIPTOR.name;
            panic!(
                "other {name} events were emitted than expected\nexpected: {}\n     got: {}{}",
                pretty(&expected),
                pretty(&got),
                self.report()
            );
        }
        self
    }

    /// Nothing was published.
    ///
    /// # Panics
    ///
    /// When something was; the message shows it.
    #[track_caller]
    pub fn expect_nothing_emitted(&self) -> &Self {
        let emitted: Vec<_> = self.emitted.iter().map(shown).collect();
        assert!(
            emitted.is_empty(),
            "nothing should be emitted, but this was: {}{}",
            pretty(&emitted),
            self.report()
        );
        self
    }

    /// The handler called `handler` (or `service/handler`) has one dead letter, and here it is.
    ///
    /// # Panics
    ///
    /// When it has none or several; the message shows all dead letters.
    #[track_caller]
    pub fn expect_dead_letter(&self, handler: &str) -> &DeadLetter {
        let is_meant = |letter: &&DeadLetter| {
            letter.handler == handler || letter.handler.rsplit('/').next() == Some(handler)
        };
        let meant: Vec<_> = self.dead_letters.iter().filter(is_meant).collect();
        match meant[..] {
            [letter] => letter,
            _ => panic!(
                "`{handler}` should have one dead letter, but has {}{}",
                meant.len(),
                self.report()
            ),
        }
    }

    /// No record was given up.
    ///
    /// # Panics
    ///
    /// When one was; the message shows all dead letters.
    #[track_caller]
    pub fn expect_no_dead_letters(&self) -> &Self {
        assert!(
            self.dead_letters.is_empty(),
            "no record should be given up{}",
            self.report()
        );
        self
    }

    /// The dead letters for a message: most surprises are explained by one.
    fn report(&self) -> String {
        if self.dead_letters.is_empty() {
            return "\nno record was given up".to_owned();
        }
        let mut text = "\ngiven up were:".to_owned();
        for letter in &self.dead_letters {
            let key = letter.key.as_deref().unwrap_or("(no key)");
            let error = letter.error.replace('\n', "\n      ");
            text.push_str(&format!(
                "\n  key {key}, by {} after {} attempts: {error}",
                letter.handler, letter.attempts
            ));
        }
        text
    }
}

/// Events as JSON, sorted by key and otherwise left in their order.
fn by_key<E: Event>(events: &[E]) -> Vec<Value> {
    let json = |event: &E| {
        serde_json::to_value(event).unwrap_or_else(|error| Value::String(error.to_string()))
    };
    let mut events: Vec<_> = events
        .iter()
        .map(|event| (event.key(), json(event)))
        .collect();
    events.sort_by(|left, right| left.0.cmp(&right.0));
    events.into_iter().map(|(_, event)| event).collect()
}

fn shown(record: &Received) -> Value {
    let value = record.record.value().unwrap_or_default();
    let payload: Value =
        serde_json::from_slice(value).unwrap_or_else(|_| String::from_utf8_lossy(value).into());
    serde_json::json!({ "type": record.event_type(), "key": record.key_text(), "payload": payload })
}

fn pretty(values: &[Value]) -> String {
    serde_json::to_string_pretty(values).unwrap_or_default()
}
