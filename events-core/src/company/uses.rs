//! Who publishes, reads and knows an event type.

use crate::manifest::{EventEntry, HandlerEntry};

/// Who publishes, reads and knows an event type.
#[derive(Debug, Clone, Default)]
pub struct Use<'a> {
    /// Each service that knows it, with its own view of it.
    pub known: Vec<(&'a str, &'a EventEntry)>,
    /// The services that publish it.
    pub publishers: Vec<&'a str>,
    /// The handlers that emit it.
    pub emitters: Vec<Reader<'a>>,
    /// The handlers that take it.
    pub readers: Vec<Reader<'a>>,
    /// Whether a handler declares it as its failure.
    pub is_failure: bool,
}

/// A handler of a service.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The service.
    pub service: &'a str,
    /// The handler.
    pub handler: &'a HandlerEntry,
}

impl Reader<'_> {
    /// `service/handler`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.service, self.handler.handler)
    }
}

impl<'a> Use<'a> {
    pub(super) fn publish(&mut self, service: &'a str) {
        // Manifests are read one after the other, so a service that is known stands last.
        if self.publishers.last() != Some(&service) {
            self.publishers.push(service);
        }
    }

    /// The view that counts: the newest of those who publish it, else of all.
    pub fn entry(&self) -> Option<&'a EventEntry> {
        let newest = |publishing: bool| {
            let known = self.known.iter();
            known
                .filter(|(service, _)| !publishing || self.publishes(service))
                .map(|(_, entry)| *entry)
                .max_by_key(|entry| entry.version)
        };
        newest(true).or_else(|| newest(false))
    }

    /// Whether `service` publishes it.
    pub fn publishes(&self, service: &str) -> bool {
        // Sorted, since the manifests are.
        self.publishers.binary_search(&service).is_ok()
    }

    /// Titles of its readers in `service`.
    pub(super) fn readers_in(&self, service: &str) -> Vec<String> {
        let readers = self.readers.iter();
        readers
            .filter(|reader| reader.service == service)
            .map(Reader::title)
            .collect()
    }
}

/// `` `a`, `b` and `c` ``, cut after five.
pub(super) fn list<T: AsRef<str>>(names: &[T]) -> String {
    const MOST: usize = 5;
    let shown: Vec<_> = names
        .iter()
        .take(MOST)
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    let more = names.len().saturating_sub(MOST);
    match (shown.split_last(), more) {
        (_, 1..) => format!("{} and {more} more", shown.join(", ")),
        (Some((last, [])), _) => last.clone(),
        (Some((last, others)), _) => format!("{} and {last}", others.join(", ")),
        (None, _) => "nobody".to_owned(),
    }
}

/// The titles of handlers.
pub(super) fn titles(readers: &[Reader<'_>]) -> Vec<String> {
    readers.iter().map(Reader::title).collect()
}
