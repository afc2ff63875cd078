//! From a record's headers to its event type: read once, before anything is decoded.

use events_core::engine::number;
use events_core::{EnvelopeError, RecordView, header, is_structured};

use crate::dedupe::{Identity, Window};
use crate::header_bounds::HeaderSize;
use crate::plan::TopicPlan;
use crate::settings::Settings;
use crate::transport::Record;

/// Where a record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    /// Index into the topic's types.
    pub(crate) event: usize,
    pub(crate) version: u32,
    /// What tells its duplicates; none for a record that names no source or id.
    pub(crate) identity: Option<Identity>,
    /// What its headers take, where they are read.
    pub(crate) headers: HeaderSize,
}

impl Route {
    /// Of a record whose envelope cannot be read; no handler sees it.
    pub(crate) const UNKNOWN: Self = Self {
        event: 0,
        version: 1,
        identity: None,
        headers: HeaderSize { count: 0, bytes: 0 },
    };
}

/// What the headers of a record say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Routed {
    To(Route),
    /// It is in structured mode: its value says the rest.
    Structured,
    /// Its headers are beyond the bounds, or cannot be read. Its type is an index into the topic's types, where it is known.
    Refused(Option<usize>, EnvelopeError),
    /// Nobody here wants it.
    ToNobody,
}

/// Finds the type of `record`.
///
/// Of duplicate headers the last that is not null counts, as in `Meta`. A version that is no number reads as 1; an id or a
/// source that is empty or no text is none, because records that have nothing in common could share it.
pub(crate) fn route<R: Record>(
    topic: &TopicPlan,
    settings: &Settings,
    record: &R,
    window: &mut Window,
) -> Routed {
    let Some(default) = topic.default_type.filter(|_| !topic.reads_headers) else {
        return read_headers(topic, settings, record, window);
    };
    let plan = &topic.types[default];
    let mut headers = HeaderSize::default();
    if plan.keeps_headers {
        headers = HeaderSize::of(record);
        if let Some(fault) = headers_fault(headers, settings, record) {
            return Routed::Refused(Some(default), fault);
        }
    }
    Routed::To(Route {
        event: default,
        version: plan.event.version,
        identity: None,
        headers,
    })
}

/// Why the headers of a record may not be read further.
pub(crate) fn headers_fault(
    headers: HeaderSize,
    settings: &Settings,
    record: &impl Record,
) -> Option<EnvelopeError> {
    if headers.count == 0 && record.has_unreadable_headers() {
        return Some(EnvelopeError::UnreadableHeaders);
    }
    headers.fault(settings)
}

fn read_headers<R: Record>(
    topic: &TopicPlan,
    settings: &Settings,
    record: &R,
    window: &mut Window,
) -> Routed {
    let mut headers = HeaderSize::default();
    let mut structured = false;
    let (mut event, mut id, mut source, mut version) = (None, None, None, None);
    while let Some((name, value)) = record.header(headers.count) {
        headers.add(name, value);
        if value.is_none() {
            continue;
        }
        const TYPE: &[u8] = header::TYPE.as_bytes();
        const ID: &[u8] = header::ID.as_bytes();
        const SOURCE: &[u8] = header::SOURCE.as_bytes();
        const CONTENT_TYPE: &[u8] = header::CONTENT_TYPE.as_bytes();
        const VERSION: &[u8] = header::EVENT_VERSION.as_bytes();
        match name {
            TYPE => event = value,
            ID => id = value,
            SOURCE => source = value,
            VERSION => version = value,
            CONTENT_TYPE => structured = value.is_some_and(is_structured),
            _ => {}
        }
    }
    let fault = headers_fault(headers, settings, record);
    if structured || fault == Some(EnvelopeError::UnreadableHeaders) {
        return fault.map_or(Routed::Structured, |fault| Routed::Refused(None, fault));
    }
    let event = match event {
        Some(name) => topic.type_named(name),
        None => topic.default_type,
    };
    let Some(event) = event else {
        return Routed::ToNobody;
    };
    if let Some(fault) = fault {
        return Routed::Refused(Some(event), fault);
    }
    let dedupes = topic.types[event].dedupes;
    Routed::To(Route {
        event,
        version: version.and_then(number).unwrap_or(1),
        identity: match (source, id) {
            (Some(source), Some(id)) if dedupes && names(source) && names(id) => {
                Some(window.identity(source, id))
            }
            _ => None,
        },
        headers,
    })
}

/// What tells a record's duplicates, where nothing else of its headers was read.
pub(crate) fn identity(record: &dyn RecordView, window: &mut Window) -> Option<Identity> {
    const ID: &[u8] = header::ID.as_bytes();
    const SOURCE: &[u8] = header::SOURCE.as_bytes();
    let last = |wanted: &[u8]| {
        let headers = (0..).map_while(|index| record.header(index));
        let values = headers.filter(|(name, value)| *name == wanted && value.is_some());
        let value = values.filter_map(|(_, value)| value).last()?;
        names(value).then(|| value.to_vec())
    };
    let (source, id) = (last(SOURCE)?, last(ID)?);
    Some(window.identity(&source, &id))
}

/// The version that a record's headers say, where nothing else of them was read.
pub(crate) fn version(record: &dyn RecordView) -> u32 {
    const VERSION: &[u8] = header::EVENT_VERSION.as_bytes();
    let headers = (0..).map_while(|index| record.header(index));
    let versions = headers.filter(|(name, _)| *name == VERSION);
    let last = versions.filter_map(|(_, value)| value).last();
    last.and_then(number).unwrap_or(1)
}

fn names(text: &[u8]) -> bool {
    !text.is_empty() && std::str::from_utf8(text).is_ok()
}
