//! The open letters of a topic, as its records are read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use events_core::{Error, RecordView, Result};

use super::dialect;
use super::filter::Filter;
use super::letter::{Letter, Outcome, Resolution, Words};
use crate::cli::place::Place;

/// Most open letters that are kept, at about 300 bytes each.
const MOST: usize = 1_000_000;
/// Most bytes of edited payloads that are kept.
const MOST_EDITED: usize = 64 << 20;

/// A resolution, and the payload that it brings.
type Early = (Resolution, Option<Arc<[u8]>>);

/// The open letters of a topic. What is resolved is forgotten, so that memory follows what is open.
#[derive(Debug)]
pub(super) struct Book {
    filter: Filter,
    /// Only letters of this topic are meant; others are read for their resolutions.
    topic: Option<String>,
    open: BTreeMap<Place, Letter>,
    /// What became of the letters that the filter names.
    settled: BTreeMap<Place, Resolution>,
    /// Resolutions that were read before their letters, from other partitions.
    early: HashMap<Place, Vec<Early>>,
    /// The last offset read of each partition.
    read: HashMap<(Arc<str>, i32), i64>,
    words: Words,
    edited_bytes: usize,
    most: usize,
}

/// What a book holds when all has been read.
#[derive(Debug)]
pub(super) struct Found {
    /// The open letters that are meant, in the order of their topics, partitions and offsets.
    pub(super) open: Vec<Letter>,
    /// What became of letters that were named and are not open.
    pub(super) settled: Vec<Resolution>,
    /// Letters that were named and are not there, or not meant.
    pub(super) absent: Vec<Place>,
}

impl Book {
    pub(super) fn new(filter: Filter, topic: Option<String>) -> Self {
        Self {
            filter,
            topic,
            open: BTreeMap::new(),
            settled: BTreeMap::new(),
            early: HashMap::new(),
            read: HashMap::new(),
            words: Words::default(),
            edited_bytes: 0,
            most: MOST,
        }
    }

    /// Says that a partition is read from `start` on: letters below are not there any more.
    pub(super) fn begin(&mut self, topic: &str, partition: i32, start: i64) {
        let topic = self.words.keep(topic);
        self.read.insert((topic, partition), start - 1);
    }

    /// Takes the next record of a partition.
    ///
    /// # Errors
    ///
    /// More is open than may be kept.
    pub(super) fn add(&mut self, record: &dyn RecordView) -> Result<()> {
        let headers = dialect::headers(record);
        let topic = self.words.keep(record.topic());
        self.read
            .insert((topic, record.partition()), record.offset());
        if let Some(resolution) = Resolution::read(&headers) {
            let edited = record
                .value()
                .filter(|_| resolution.outcome == Outcome::Edited);
            return self.resolve(resolution, edited.map(Into::into));
        }
        let early = self.early.remove(&Place::of(record)).unwrap_or_default();
        let Some(told) = dialect::read(record, &headers) else {
            return Ok(());
        };
        let time = told.time.or(record.timestamp()).unwrap_or(0);
        let elsewhere = self
            .topic
            .as_ref()
            .is_some_and(|topic| topic != record.topic());
        if elsewhere
            || early.iter().any(|(one, _)| one.outcome.is_final())
            || !self.filter.admits(&told, time)
        {
            return Ok(());
        }
        if self.open.len() >= self.most {
            return Err(Error::msg(format!(
                "more than {} letters are open: narrow them by --handler, --error, --since or --until",
                self.most
            )));
        }
        let letter = Letter::of(record, &headers, &told, &mut self.words);
        self.open.insert(letter.id.clone(), letter);
        for (resolution, edited) in early {
            self.resolve(resolution, edited)?;
        }
        Ok(())
    }

    fn resolve(&mut self, resolution: Resolution, edited: Option<Arc<[u8]>>) -> Result<()> {
        if resolution.outcome == Outcome::Imported {
            return Ok(());
        }
        let of = &resolution.of;
        if resolution.outcome.is_final() && self.filter.id.contains(of) {
            self.settled.insert(of.clone(), resolution.clone());
        }
        if resolution.outcome.is_final() && self.open.remove(of).is_some() {
            return Ok(());
        }
        if let Some(letter) = self.open.get_mut(of) {
            match edited {
                None => letter.tell_redrive(resolution.outcome, resolution.mark),
                Some(edited) => {
                    self.edited_bytes += edited.len();
                    letter.edited = Some(edited);
                }
            }
            if self.edited_bytes > MOST_EDITED {
                return Err(Error::msg(
                    "the edited payloads of open letters take more than 64 MiB: redrive some of them, by --handler or --id",
                ));
            }
            return Ok(());
        }
        let read = self.read.get(&(Arc::clone(&of.topic), of.partition));
        if read.is_none_or(|last| *last < of.offset) {
            self.early
                .entry(of.clone())
                .or_default()
                .push((resolution, edited));
        }
        Ok(())
    }

    /// What was found.
    ///
    /// The letter of an emission is open as long as that of its record: whoever redrives the record publishes it anew.
    pub(super) fn finish(self) -> Found {
        let records: HashSet<_> = self
            .open
            .values()
            .filter(|letter| !letter.emission)
            .map(|letter| (letter.handler.clone(), letter.origin.clone()))
            .collect();
        let filter = self.filter;
        let open = self.open.into_values().filter(|letter| {
            !letter.emission || records.contains(&(letter.handler.clone(), letter.origin.clone()))
        });
        let open: Vec<_> = open.filter(|letter| filter.fits(letter)).collect();
        let known = |id: &Place| {
            self.settled.contains_key(id) || open.iter().any(|letter| letter.id == *id)
        };
        let absent = filter.id.into_iter().filter(|id| !known(id)).collect();
        Found {
            open,
            settled: self.settled.into_values().collect(),
            absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::names;
    use super::super::samples::{Sample, letter, resolution};
    use super::*;

    fn open_of(records: &[Sample], filter: Filter) -> Vec<Letter> {
        let mut book = Book::new(filter, None);
        for partition in 0..2 {
            book.begin("shipping.dead-letters", partition, 0);
        }
        records
            .iter()
            .try_for_each(|record| book.add(record))
            .unwrap();
        assert!(book.early.is_empty(), "{:?}", book.early);
        book.finish().open
    }

    fn offsets(records: &[Sample]) -> Vec<i64> {
        let open = open_of(records, Filter::default());
        open.iter().map(|letter| letter.id.offset).collect()
    }

    fn of(offset: i64) -> String {
        format!("shipping.dead-letters/0/{offset}")
    }

    #[test]
    fn a_settled_letter_is_not_open() {
        let letters = [letter(0, "a", 1), letter(1, "b", 2), letter(2, "c", 3)];
        assert_eq!(offsets(&letters), [0, 1, 2]);
        let mut all = letters.to_vec();
        all.push(resolution(3, &of(0), "discarded"));
        all.push(resolution(4, &of(1), "redriven"));
        all.push(resolution(5, &of(2), "redrive-requested"));
        assert_eq!(offsets(&all), [2]);
        let open = open_of(&all, Filter::default());
        assert_eq!(open[0].requested.as_ref().unwrap().actor, "ann");
    }

    #[test]
    fn a_refused_redrive_leaves_its_letter_open() {
        let told = |offset, kind: &str, minute: u32| {
            let mut word = resolution(offset, &of(0), kind);
            word.replace(
                names::TIME,
                format!("2026-01-31T13:0{minute}:00.000Z").as_bytes(),
            );
            word
        };
        let (asked, refused) = ("redrive-requested", "redrive-refused");
        // The word of the request may be read after the one that it was refused.
        for words in [
            [told(1, asked, 1), told(2, refused, 2)],
            [told(1, refused, 2), told(2, asked, 1)],
        ] {
            let mut all = vec![letter(0, "a", 1)];
            all.extend(words);
            let open = open_of(&all, Filter::default());
            assert!(open[0].requested.is_none() && open[0].refused.is_some());
            all.push(told(3, asked, 3));
            let open = open_of(&all, Filter::default());
            assert!(open[0].requested.is_some() && open[0].refused.is_none());
            all.push(told(4, "redriven", 4));
            assert!(open_of(&all, Filter::default()).is_empty());
        }
    }

    #[test]
    fn a_resolution_may_be_read_before_its_letter() {
        for (kind, left) in [("redriven", &[][..]), ("redrive-requested", &[9])] {
            let mut other = resolution(0, &of(9), kind);
            other.partition = 1;
            assert_eq!(offsets(&[other, letter(9, "a", 1)]), left, "{kind}");
        }
    }

    #[test]
    fn resolutions_of_letters_that_are_gone_are_not_kept() {
        let mut book = Book::new(Filter::default(), None);
        book.begin("shipping.dead-letters", 0, 100);
        book.add(&resolution(100, &of(3), "discarded")).unwrap();
        assert!(book.early.is_empty());
    }

    #[test]
    fn who_imported_a_letter_settles_nothing() {
        let open = open_of(
            &[letter(0, "a", 1), resolution(1, &of(0), "imported")],
            Filter::default(),
        );
        assert_eq!(open.len(), 1);
        assert!(open[0].requested.is_none());
    }

    #[test]
    fn the_last_edit_counts() {
        let edit = |offset, text: &str| {
            let mut edit = resolution(offset, &of(0), "edited");
            edit.value = Some(text.as_bytes().to_vec());
            edit
        };
        let open = open_of(
            &[letter(0, "a", 1), edit(1, "one"), edit(2, "two")],
            Filter::default(),
        );
        assert_eq!(open[0].edited.as_deref(), Some(&b"two"[..]));
        assert!(open[0].requested.is_none());
    }

    #[test]
    fn the_letter_of_an_emission_goes_with_that_of_its_record() {
        let mut emission = letter(1, "other", 1);
        emission.replace(names::KIND, b"emission");
        let both = [letter(0, "a", 1), emission];
        assert_eq!(offsets(&both), [0, 1]);
        let mut all = both.to_vec();
        all.push(resolution(2, &of(0), "discarded"));
        assert_eq!(offsets(&all), [0_i64; 0]);
    }

    #[test]
    fn of_letters_that_are_named_the_fate_is_told() {
        let filter = Filter {
            id: [0, 1, 9].map(|offset| of(offset).parse().unwrap()).to_vec(),
            ..Filter::default()
        };
        let mut book = Book::new(filter, None);
        for record in [
            letter(0, "a", 1),
            letter(1, "b", 2),
            letter(2, "c", 3),
            resolution(3, &of(0), "discarded"),
            resolution(4, &of(2), "discarded"),
        ] {
            book.add(&record).unwrap();
        }
        let found = book.finish();
        assert_eq!(
            found
                .open
                .iter()
                .map(|one| one.id.offset)
                .collect::<Vec<_>>(),
            [1]
        );
        assert_eq!(
            found
                .settled
                .iter()
                .map(|one| one.of.offset)
                .collect::<Vec<_>>(),
            [0]
        );
        assert_eq!(found.absent, [of(9).parse().unwrap()]);
    }

    #[test]
    fn letters_of_other_topics_are_not_meant() {
        let mut book = Book::new(Filter::default(), Some("orders.DLT".to_owned()));
        book.add(&letter(0, "a", 1)).unwrap();
        assert!(book.finish().open.is_empty());
    }

    #[test]
    fn no_more_is_kept_than_is_allowed() {
        let mut book = Book::new(Filter::default(), None);
        book.most = 2;
        book.add(&letter(0, "a", 1)).unwrap();
        book.add(&letter(1, "a", 2)).unwrap();
        book.add(&resolution(2, &of(0), "discarded")).unwrap();
        book.add(&letter(3, "a", 3)).unwrap();
        let said = book.add(&letter(4, "a", 4)).unwrap_err().to_string();
        assert!(said.contains("--since"), "{said}");
    }
}
