//! What must hold of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use events_runtime::dead_letter_header as letter;
use events_testkit::Received;

use crate::service::{GROUP, Line, Moment, UNORDERED};

/// A record of the log.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<String>,
    pub(crate) id: Option<String>,
    /// Handlers that take it.
    pub(crate) takers: Vec<&'static str>,
    pub(crate) readable: bool,
}

/// Handler, partition and offset.
pub(crate) type Place = (&'static str, i32, i64);

pub(crate) struct Outcome<'a> {
    pub(crate) sent: &'a [Sent],
    pub(crate) journal: &'a [Line],
    pub(crate) letters: &'a [Received],
    /// What `both` emitted.
    pub(crate) done: &'a [Received],
    /// What was committed as done when a process was killed, and how long the journal was then.
    pub(crate) committed: &'a BTreeMap<Place, usize>,
    pub(crate) kills: bool,
}

impl Outcome<'_> {
    pub(crate) fn check(&self) {
        let succeeded = self.succeeded();
        let given_up = self.given_up();
        let ended = |handler: &'static str, sent: &Sent| {
            let place = (handler, sent.partition, sent.offset);
            succeeded.contains_key(&place) || given_up.contains(&named(place))
        };
        for sent in self.sent {
            for handler in &sent.takers {
                // A duplicate is done with its first bearer.
                let first = |other: &Sent| {
                    let same = other.id.is_some() && other.id == sent.id;
                    let before = other.partition == sent.partition && other.offset < sent.offset;
                    same && before && other.takers.contains(handler) && ended(handler, other)
                };
                assert!(
                    ended(handler, sent) || self.sent.iter().any(first),
                    "{handler} lost {sent:?}{}",
                    self.story(sent.partition, sent.key.as_deref())
                );
                let place = (*handler, sent.partition, sent.offset);
                assert!(
                    sent.readable || !succeeded.contains_key(&place),
                    "{handler} handled {sent:?}, which cannot be read"
                );
            }
        }
        self.emissions(&succeeded, &given_up);
        let twice = succeeded.iter().find(|(_, count)| **count > 1);
        assert!(
            self.kills || twice.is_none(),
            "handled twice, though nothing was killed: {twice:?}"
        );
        self.commits();
        self.order();
    }

    fn succeeded(&self) -> BTreeMap<Place, usize> {
        let mut succeeded = BTreeMap::new();
        let lines = self.journal.iter();
        for line in lines.filter(|line| line.moment == Moment::Succeeded && !line.redriven) {
            *succeeded.entry(line.place()).or_default() += 1;
        }
        succeeded
    }

    /// Handlers and the records that they gave up.
    fn given_up(&self) -> BTreeSet<(String, i32, i64)> {
        let letters = self.letters.iter();
        let letters = letters.filter(|dead| dead.header_text(letter::FACT).is_none());
        let given_up = letters.map(|dead| {
            let text = |name| dead.header_text(name).unwrap_or_default();
            let number = |name| text(name).parse().unwrap();
            let (partition, offset) = (number(letter::PARTITION), number(letter::OFFSET));
            (text(letter::HANDLER), partition as i32, offset)
        });
        given_up.collect()
    }

    fn emissions(
        &self,
        succeeded: &BTreeMap<Place, usize>,
        given_up: &BTreeSet<(String, i32, i64)>,
    ) {
        let causes = self.done.iter();
        let causes = causes.filter_map(|record| record.header_text("ce_causationid"));
        let causes: BTreeSet<String> = causes.collect();
        for place in succeeded.keys().filter(|(handler, ..)| *handler == "both") {
            let (_, partition, offset) = *place;
            let mut sent = self.sent.iter();
            let sent = sent.find(|sent| (sent.partition, sent.offset) == (partition, offset));
            let id = sent.and_then(|sent| sent.id.clone());
            let id = id.unwrap_or_else(|| format!("interleaved/{partition}/{offset}"));
            // An emission that is refused is dead-lettered with its record.
            assert!(
                causes.contains(&id) || given_up.contains(&named(*place)),
                "nothing was emitted for {sent:?}{}",
                self.story(partition, sent.and_then(|sent| sent.key.as_deref()))
            );
        }
    }

    fn commits(&self) {
        for (now, line) in self.journal.iter().enumerate() {
            let known = self.committed.get(&line.place());
            assert!(
                line.redriven
                    || line.moment != Moment::Began
                    || known.is_none_or(|known| now < *known),
                "handled again, though it was committed: {line:?}{}",
                self.story(line.partition, line.key.as_deref())
            );
        }
    }

    /// For each handler, key and process offsets never go back, and attempts never overlap.
    fn order(&self) {
        let mut last = BTreeMap::new();
        let mut under_way = BTreeMap::new();
        for line in self.journal {
            let key = line.key.as_deref().filter(|_| line.handler != UNORDERED);
            let Some(key) = key else {
                continue;
            };
            let of = (line.handler, line.partition, key);
            let attempt = (line.process, line.offset);
            if line.moment != Moment::Began {
                assert_eq!(under_way.remove(&of), Some(attempt), "{line:?}");
                continue;
            }
            let other = under_way.insert(of, attempt);
            assert_eq!(other, None, "attempts overlap: {line:?}");
            if line.redriven {
                continue;
            }
            let before = last.insert((line.process, of), line.offset);
            assert!(
                before.is_none_or(|before| before <= line.offset),
                "{line:?} came after offset {before:?}{}",
                self.story(line.partition, line.key.as_deref())
            );
        }
    }

    /// What happened to a key, for whoever reads that a test failed.
    fn story(&self, partition: i32, key: Option<&str>) -> String {
        let mut story = String::new();
        let sent = self.sent.iter();
        for sent in sent.filter(|sent| sent.partition == partition && sent.key.as_deref() == key) {
            let _ = write!(story, "\n{sent:?}");
        }
        let lines = self.journal.iter();
        for line in lines.filter(|line| line.partition == partition && line.key.as_deref() == key) {
            let _ = write!(story, "\n{line:?}");
        }
        story
    }
}

fn named((handler, partition, offset): Place) -> (String, i32, i64) {
    (format!("{GROUP}/{handler}"), partition, offset)
}
