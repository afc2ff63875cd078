//! Headers on their way out.

use events_core::Outgoing;
use rdkafka::message::{Header, OwnedHeaders};

/// The record's headers, as the client wants them.
pub(crate) fn headers(record: &Outgoing) -> OwnedHeaders {
    let all = record.headers();
    let mut headers = OwnedHeaders::new_with_capacity(all.len());
    for (name, value) in all {
        // The client takes names of text without zeros; a record of ours has no others unless a hook adds one.
        match std::str::from_utf8(name) {
            Ok(key) if !name.contains(&0) => headers = headers.insert(Header { key, value }),
            _ => {
                let key = String::from_utf8_lossy(name).replace('\0', "");
                headers = headers.insert(Header { key: &key, value });
            }
        }
    }
    headers
}
