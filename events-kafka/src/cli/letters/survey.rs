//! Reads dead-letter topics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use events_core::{Error, RecordView, Result};

use super::arguments::Which;
use super::book::{Book, Found};
use crate::cli::place::Place;
use crate::cli::site::Site;
use crate::reader::{Reader, Span};

/// Reads the open letters that are meant.
pub(super) async fn open(site: &Site, which: Which) -> Result<(Reader, Found)> {
    let Which { topic, mut filter } = which;
    if let Some(name) = &filter.handler
        && let Ok((_, handler)) = site.handler(name)
    {
        // `handler` stands for `service/handler`; others may be of a handler that is not in this binary any more.
        filter.handler = Some(handler.stable_name.clone());
    }
    let mut named: BTreeSet<_> = filter.id.iter().map(|id| Arc::clone(&id.topic)).collect();
    named.extend(topic.as_deref().map(Arc::from));
    let mut reader = connect(site).await?;
    let spans = spans(site, &reader, &named).await?;
    let mut book = Book::new(filter, topic);
    for span in &spans {
        book.begin(&span.topic, span.partition, span.from);
    }
    let mut scan = reader.scan(&spans)?;
    while let Some(records) = scan.next().await? {
        records.iter().try_for_each(|record| book.add(record))?;
    }
    drop(scan);
    Ok((reader, book.finish()))
}

/// A reader for dead letters; it does not matter whose commits it sees.
pub(super) async fn connect(site: &Site) -> Result<Reader> {
    let first = site.groups.first();
    let first = first.ok_or_else(|| Error::msg("the services of this binary have no handlers"))?;
    site.reader(&first.plan.group).await
}

/// What stands in the dead-letter topics of this binary's groups, and in those that are named.
///
/// # Errors
///
/// A topic that is named does not exist, or none of the others does.
pub(super) async fn spans(
    site: &Site,
    reader: &Reader,
    named: &BTreeSet<Arc<str>>,
) -> Result<Vec<Span>> {
    let ours: BTreeSet<_> = site
        .groups
        .iter()
        .map(|group| &*group.plan.dead_letters)
        .collect();
    let known = ours.iter().copied().collect::<Vec<_>>().join(", ");
    for topic in named {
        if reader.partitions(topic).is_none() {
            return Err(Error::msg(format!(
                "there is no topic `{topic}` at {}; this binary's dead letters are in {known}",
                reader.address()
            )));
        }
    }
    let named = named.iter().map(|topic| &**topic);
    let topics: BTreeSet<_> = ours.into_iter().chain(named).collect();
    let mut spans = Vec::new();
    let mut found = false;
    for topic in topics {
        found |= reader.partitions(topic).is_some();
        spans.extend(reader.spans(topic).await?);
    }
    if !found {
        return Err(Error::msg(format!(
            "there is no dead-letter topic at {}: {known}; `check --broker` says how to make it",
            reader.address()
        )));
    }
    Ok(spans)
}

/// Parts of logs that hold all the places, each from the first to the last of its partition.
pub(super) fn around<'a>(places: impl Iterator<Item = &'a Place>) -> Vec<Span> {
    let mut spans: BTreeMap<(&str, i32), Span> = BTreeMap::new();
    for place in places {
        let span = spans
            .entry((&place.topic, place.partition))
            .or_insert_with(|| Span {
                topic: Arc::clone(&place.topic),
                partition: place.partition,
                from: place.offset,
                to: place.offset + 1,
            });
        span.from = span.from.min(place.offset);
        span.to = span.to.max(place.offset + 1);
    }
    spans.into_values().collect()
}

/// Reads the records at some places again, in the order of each partition, and hands them to `take`.
///
/// Answers the places whose records are not there any more.
pub(super) async fn again<'a>(
    reader: &mut Reader,
    places: impl Iterator<Item = &'a Place> + Clone,
    mut take: impl AsyncFnMut(&Place, &dyn RecordView) -> Result<()>,
) -> Result<BTreeSet<Place>> {
    let mut wanted: BTreeSet<Place> = places.clone().cloned().collect();
    let mut scan = reader.scan(&around(places))?;
    while let Some(records) = scan.next().await? {
        for record in &records {
            if let Some(place) = wanted.take(&Place::of(record)) {
                take(&place, record).await?;
            }
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_holds_all_places_of_a_partition() {
        let places = [("a", 0, 5), ("a", 0, 2), ("a", 1, 7), ("b", 0, 9)];
        let places = places.map(|(topic, partition, offset)| Place::new(topic, partition, offset));
        let spans = around(places.iter());
        let spans: Vec<_> = spans
            .iter()
            .map(|span| (&*span.topic, span.partition, span.from, span.to))
            .collect();
        assert_eq!(spans, [("a", 0, 2, 6), ("a", 1, 7, 8), ("b", 0, 9, 10)]);
    }
}
