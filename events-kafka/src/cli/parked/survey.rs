//! Reads parked logs.

use std::collections::BTreeMap;

use events_core::{Error, Result};

use super::arguments::Which;
use super::book::{Book, Line};
use crate::cli::site::Site;
use crate::reader::{Reader, Span};

/// Reads the keys that wait and are meant.
///
/// # Errors
///
/// A topic that is named is none of this binary's parked topics.
pub(super) async fn open(site: &Site, mut which: Which) -> Result<Vec<Line>> {
    if let Some(name) = &which.handler
        && let Ok((_, handler)) = site.handler(name)
    {
        which.handler = Some(handler.stable_name.clone());
    }
    let named = which.topic.iter().map(String::as_str);
    let named = named.chain(which.id.iter().map(|id| &*id.topic));
    let books = books(site, which.topic.as_deref(), named).await?;
    let mut lines: Vec<_> = books.into_iter().flat_map(Book::finish).collect();
    lines.retain(|line| which.fits(line));
    Ok(lines)
}

/// How many records wait in each partition of a parked topic, and what their lane keeps of them in memory.
pub(in crate::cli) async fn waiting(
    site: &Site,
    topic: &str,
) -> Result<BTreeMap<i32, (usize, usize)>> {
    let mut waiting = BTreeMap::new();
    let books = books(site, Some(topic), std::iter::empty()).await?;
    for line in books.into_iter().flat_map(Book::finish) {
        let (records, bytes) = waiting.entry(line.partition).or_default();
        *records += line.entries.len();
        *bytes += line.entries.iter().map(|entry| entry.size).sum::<usize>();
    }
    Ok(waiting)
}

/// Reads the parked logs of each group, or those of one topic; `named` must be among them.
///
/// # Errors
///
/// A topic that is named is none of this binary's parked topics.
pub(super) async fn books(
    site: &Site,
    only: Option<&str>,
    named: impl Iterator<Item = &str>,
) -> Result<Vec<Book>> {
    let mut books = Vec::new();
    let mut known = Vec::new();
    for group in &site.groups {
        let mut reader = site.reader(&group.plan.group).await?;
        let prefix = format!("{}.parked.", group.plan.group);
        // Topics that no handler reads any more may still hold records.
        let topics = reader.topics().filter(|topic| topic.starts_with(&prefix));
        let topics: Vec<_> = topics.map(str::to_owned).collect();
        let meant = |topic: &&String| only.is_none_or(|only| only == *topic);
        let mut book = Book::new();
        let mut spans = Vec::new();
        for topic in topics.iter().filter(meant) {
            spans.extend(logs(&reader, topic, &mut book).await?);
        }
        let mut scan = reader.scan(&spans)?;
        while let Some(records) = scan.next().await? {
            records.iter().try_for_each(|record| book.add(record))?;
        }
        drop(scan);
        books.push(book);
        known.extend(topics);
    }
    for topic in named {
        if !known.iter().any(|known| known == topic) {
            let list = match known.is_empty() {
                true => "none; they are made when a service with parking starts".to_owned(),
                false => known.join(", "),
            };
            return Err(Error::msg(format!(
                "`{topic}` is no parked topic of this binary's groups; there are: {list}"
            )));
        }
    }
    Ok(books)
}

/// What is to be read of a parked topic: from what its group has committed, where that is in the log.
async fn logs(reader: &Reader, topic: &str, book: &mut Book) -> Result<Vec<Span>> {
    let committed: BTreeMap<_, _> = reader.committed(topic).await?;
    let mut spans = reader.spans(topic).await?;
    for span in &mut spans {
        let hint = committed.get(&span.partition);
        let hint = hint.filter(|hint| (span.from..=span.to).contains(&hint.offset));
        span.from = hint.map_or(span.from, |hint| hint.offset);
        book.begin(&span.topic, span.partition, hint);
    }
    Ok(spans)
}
