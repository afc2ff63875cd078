//! What a redrive will do: which letters, in which order, to whom.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;

use super::letter::Letter;
use crate::cli::place::Place;

/// Where a handler's redriven records of a topic go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// `service/handler`.
    pub(super) handler: Arc<str>,
    /// The parked topic.
    pub(super) parked: Arc<str>,
    /// The topic that the record came from; its partition is the parked topic's.
    pub(super) origin: Place,
}

/// A letter that stays, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Left {
    pub(super) id: Place,
    pub(super) why: String,
}

/// What a redrive will do.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// In the order of the letters' partitions and offsets, so in order for each key.
    pub(super) redriven: Vec<(Letter, Target)>,
    pub(super) left: Vec<Left>,
}

impl Plan {
    /// Plans the redrive of `open` letters, whole keys, the oldest first, at most `most` letters.
    ///
    /// # Errors
    ///
    /// The first key alone has more letters than that.
    pub(super) fn of(
        open: Vec<Letter>,
        most: Option<usize>,
        target: impl Fn(&Letter) -> Result<Target, String>,
    ) -> Result<Self, String> {
        let mut plan = Self::default();
        // The first letter of each record: its redrive stands for all of them.
        let mut known: HashMap<_, Place> = HashMap::new();
        for letter in open {
            let left = |why: String| Left {
                id: letter.id.clone(),
                why,
            };
            if letter.emission {
                plan.left.push(left(
                    "it is an emission; the redrive of its record publishes it anew".into(),
                ));
                continue;
            }
            let record = letter.origin.clone();
            let record = record.map(|origin| (letter.handler.clone(), origin));
            if let Some(first) = record.as_ref().and_then(|record| known.get(record)) {
                plan.left.push(left(format!(
                    "it is about the same record as {first}, whose redrive stands for both; discard it once that is done"
                )));
                continue;
            }
            let id = letter.id.clone();
            if let Some(mark) = &letter.requested {
                plan.left.push(left(format!(
                    "its redrive was asked for at {} by {}; a second one would do nothing",
                    mark.time, mark.actor
                )));
            } else {
                match target(&letter) {
                    Ok(target) => plan.redriven.push((letter, target)),
                    Err(why) => {
                        plan.left.push(left(why));
                        continue;
                    }
                }
            }
            known.extend(record.map(|record| (record, id)));
        }
        plan.cut(most)?;
        Ok(plan)
    }

    /// Keeps whole keys only, while they fit.
    fn cut(&mut self, most: Option<usize>) -> Result<(), String> {
        let Some(most) = most.filter(|most| *most < self.redriven.len()) else {
            return Ok(());
        };
        // Key by key in the order of their first letters; a letter without a key is alone.
        let mut keys: Vec<Vec<usize>> = Vec::new();
        let mut known = HashMap::new();
        for (index, (letter, target)) in self.redriven.iter().enumerate() {
            let place = match &letter.key {
                Some(key) => *known
                    .entry((Arc::clone(&target.handler), Arc::clone(key)))
                    .or_insert(keys.len()),
                None => keys.len(),
            };
            match keys.get_mut(place) {
                Some(key) => key.push(index),
                None => keys.push(vec![index]),
            }
        }
        keys.sort_by_key(|key| key.iter().map(|index| self.redriven[*index].0.time).min());
        let mut kept = vec![false; self.redriven.len()];
        let mut count = 0;
        for key in keys {
            if count + key.len() > most {
                if count == 0 {
                    return Err(format!(
                        "the first key has {} letters, and keys are redriven whole: give --max {} or more",
                        key.len(),
                        key.len()
                    ));
                }
                break;
            }
            count += key.len();
            key.iter().for_each(|index| kept[*index] = true);
        }
        let mut kept = kept.into_iter();
        self.redriven.retain(|_| kept.next().unwrap_or(false));
        Ok(())
    }

    /// Letters by handler.
    pub(super) fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for (_, target) in &self.redriven {
            *counts.entry(&*target.handler).or_insert(0) += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::super::book::Book;
    use super::super::filter::Filter;
    use super::super::names;
    use super::super::samples::{Sample, letter, resolution};
    use super::*;

    fn plan(records: &[Sample], most: Option<usize>) -> Result<Plan, String> {
        let mut book = Book::new(Filter::default(), None);
        records
            .iter()
            .try_for_each(|record| book.add(record))
            .unwrap();
        Plan::of(book.finish().open, most, |letter| {
            let origin = letter.origin.clone().ok_or("no origin")?;
            Ok(Target {
                handler: letter.handler.clone().ok_or("no handler")?,
                parked: "shipping.parked.orders".into(),
                origin,
            })
        })
    }

    fn offsets(plan: &Plan) -> Vec<i64> {
        plan.redriven
            .iter()
            .map(|(letter, _)| letter.id.offset)
            .collect()
    }

    #[test]
    fn keys_are_redriven_whole_and_in_order() {
        let records = [
            letter(0, "a", 5),
            letter(1, "b", 6),
            letter(2, "a", 7),
            letter(3, "c", 8),
        ];
        assert_eq!(offsets(&plan(&records, None).unwrap()), [0, 1, 2, 3]);
        assert_eq!(offsets(&plan(&records, Some(4)).unwrap()), [0, 1, 2, 3]);
        assert_eq!(offsets(&plan(&records, Some(3)).unwrap()), [0, 1, 2]);
        assert_eq!(offsets(&plan(&records, Some(2)).unwrap()), [0, 2]);
        let said = plan(&records, Some(1)).unwrap_err();
        assert!(said.contains("--max 2"), "{said}");
    }

    #[test]
    fn a_record_with_two_letters_is_redriven_once() {
        let records = [letter(0, "a", 5), letter(1, "a", 5), letter(2, "a", 6)];
        let plan = plan(&records, None).unwrap();
        assert_eq!(offsets(&plan), [0, 2]);
        assert_eq!((plan.left.len(), plan.left[0].id.offset), (1, 1));
        let why = &plan.left[0].why;
        assert!(
            why.contains("same record as shipping.dead-letters/0/0"),
            "{why}"
        );
    }

    #[test]
    fn letters_without_a_key_are_alone() {
        let mut records = [letter(0, "a", 5), letter(1, "b", 6)];
        records.iter_mut().for_each(|record| record.key = None);
        assert_eq!(offsets(&plan(&records, Some(1)).unwrap()), [0]);
    }

    #[test]
    fn what_cannot_be_redriven_stays_and_says_why() {
        let mut emission = letter(1, "b", 5);
        emission.replace(names::KIND, b"emission");
        let mut lost = letter(2, "c", 6);
        lost.replace(names::OFFSET, b"?");
        let asked = resolution(4, "shipping.dead-letters/0/3", "redrive-requested");
        let records = [letter(0, "a", 5), emission, lost, letter(3, "d", 7), asked];
        let plan = plan(&records, None).unwrap();
        assert_eq!(offsets(&plan), [0]);
        let why: Vec<_> = plan
            .left
            .iter()
            .map(|left| (left.id.offset, &*left.why))
            .collect();
        assert!(why[0].0 == 1 && why[0].1.contains("emission"), "{why:?}");
        assert_eq!(why[1], (2, "no origin"));
        assert!(why[2].0 == 3 && why[2].1.contains("by ann") && why[2].1.contains("do nothing"));
        assert_eq!(
            plan.counts().into_iter().collect::<Vec<_>>(),
            [("shipping/ship", 1)]
        );
    }
}
