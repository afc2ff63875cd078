//! The headers of a record that was read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use events_core::RecordView;

/// The headers by name; of several the last counts, and null ones are left out.
pub(super) type Headers<'a> = BTreeMap<&'a [u8], &'a [u8]>;

pub(super) fn headers(record: &dyn RecordView) -> Headers<'_> {
    all(record)
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// All of them in their order.
pub(super) fn all(
    record: &dyn RecordView,
) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> + use<'_> {
    (0..).map_while(|index| record.header(index))
}

pub(super) fn text<'a>(headers: &Headers<'a>, name: &[u8]) -> Option<Cow<'a, str>> {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value))
}

/// A number that stands there as text.
pub(super) fn number<T: FromStr>(headers: &Headers<'_>, name: &[u8]) -> Option<T> {
    text(headers, name)?.trim().parse().ok()
}
