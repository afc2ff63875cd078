//! What others say of letters while a redrive goes on: a slow one takes hours, and somebody else may have been faster.
//!
//! A lane tells a second redrive of a letter only while it remembers the first: from the hint that it begins to read its
//! parked log at. Once the first is done, what tells it for ever is the mark among the dead letters.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use events_core::{RecordView, Result};
use tokio::time::Instant;

use super::dialect;
use super::letter::Resolution;
use crate::cli::place::Place;
use crate::cli::site::Site;
use crate::reader::Reader;

/// How old may be what is known: a lane takes longer to run a letter and to forget it.
const FRESH: Duration = Duration::from_secs(1);

pub(super) struct Meanwhile {
    reader: Reader,
    /// The dead-letter topics of this binary's groups, where marks are written.
    topics: Vec<String>,
    /// Up to where each partition has been read.
    ends: HashMap<(Arc<str>, i32), i64>,
    told: Told,
    looked: Instant,
}

impl Meanwhile {
    /// From now on.
    pub(super) async fn begin(site: &Site) -> Result<Self> {
        let groups = site.groups.iter();
        let mut topics: Vec<_> = groups
            .map(|group| group.plan.dead_letters.clone())
            .collect();
        topics.sort();
        topics.dedup();
        let mut meanwhile = Self {
            reader: super::survey::connect(site).await?,
            topics,
            ends: HashMap::new(),
            told: Told::default(),
            looked: Instant::now(),
        };
        for topic in &meanwhile.topics {
            for span in meanwhile.reader.spans(topic).await? {
                meanwhile.ends.insert((span.topic, span.partition), span.to);
            }
        }
        Ok(meanwhile)
    }

    /// What was said of a letter since; `waits` tells of which others it may be asked later.
    pub(super) async fn told(
        &mut self,
        letter: &Place,
        waits: impl Fn(&Place) -> bool,
    ) -> Result<Option<String>> {
        if self.looked.elapsed() >= FRESH {
            self.look(|of| of == letter || waits(of)).await?;
        }
        Ok(self.told.take(letter))
    }

    async fn look(&mut self, waits: impl Fn(&Place) -> bool) -> Result<()> {
        let now = Instant::now();
        let mut spans = Vec::new();
        for topic in &self.topics {
            spans.extend(self.reader.spans(topic).await?);
        }
        for span in &mut spans {
            let end = self
                .ends
                .insert((Arc::clone(&span.topic), span.partition), span.to);
            span.from = end.unwrap_or(span.from).max(span.from);
        }
        spans.retain(|span| span.from < span.to);
        if !spans.is_empty() {
            let mut scan = self.reader.scan(&spans)?;
            while let Some(records) = scan.next().await? {
                for record in &records {
                    self.told.add(record, &waits);
                }
            }
        }
        self.looked = now;
        Ok(())
    }
}

/// What was said of letters.
#[derive(Debug, Default)]
struct Told(HashMap<Place, Resolution>);

impl Told {
    fn add(&mut self, record: &dyn RecordView, waits: impl Fn(&Place) -> bool) {
        if let Some(resolution) = Resolution::read(&dialect::headers(record))
            && waits(&resolution.of)
        {
            self.0.insert(resolution.of.clone(), resolution);
        }
    }

    fn take(&mut self, letter: &Place) -> Option<String> {
        let Resolution { outcome, mark, .. } = self.0.remove(letter)?;
        let (what, time, actor) = (outcome.happened(), mark.time, mark.actor);
        Some(format!("{what} meanwhile, at {time} by {actor}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{ours, resolution};
    use super::*;

    #[test]
    fn what_others_did_meanwhile_is_told() {
        let mut told = Told::default();
        let letter = |offset| Place::new("shipping.dead-letters", 0, offset);
        for (of, kind) in [(7, "redriven"), (8, "edited"), (9, "redrive-requested")] {
            let mark = resolution(20 + of, &letter(of).to_string(), kind);
            told.add(&mark, |of| *of != letter(8));
        }
        told.add(&ours(10), |_| true);
        let said = told.take(&letter(7)).unwrap();
        assert_eq!(
            said,
            "it was redriven meanwhile, at 2026-01-31T13:00:00.000Z by ann"
        );
        assert!(
            told.take(&letter(8)).is_none(),
            "nobody will ask for that one"
        );
        let said = told.take(&letter(9)).unwrap();
        assert!(
            said.starts_with("its redrive was asked for meanwhile"),
            "{said}"
        );
        assert!(told.take(&letter(10)).is_none());
    }
}
