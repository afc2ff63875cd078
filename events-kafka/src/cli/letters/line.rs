//! A letter as a line of JSON.

use events_core::{Outgoing, RecordView};
use serde::{Deserialize, Serialize};

use super::dialect;
use super::letter::Letter;
use super::show::event_of;
use crate::cli::bytes::Bytes;

/// A letter as a line of JSON: what `export` writes and `import` reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    /// Where it stood when it was exported.
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) handler: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) event: Option<String>,
    #[serde(default)]
    pub(super) key: Option<Bytes>,
    /// The payload that a redrive carries.
    #[serde(default)]
    pub(super) value: Option<Bytes>,
    /// What the payload was before it was edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) original: Option<Bytes>,
    /// All of them, in their order: the record's own and those of whoever gave it up.
    #[serde(default)]
    pub(super) headers: Vec<(Bytes, Option<Bytes>)>,
    /// Milliseconds since the Unix epoch.
    #[serde(default)]
    pub(super) timestamp: Option<i64>,
}

impl Line {
    pub(super) fn of(record: &dyn RecordView, letter: &Letter) -> Self {
        let headers = dialect::all(record);
        let headers = headers.map(|(name, value)| (Bytes::of(name), value.map(Bytes::of)));
        let own = record.value().map(Bytes::of);
        let (value, original) = match letter.edited.as_deref() {
            Some(edited) => (Some(Bytes::of(edited)), own),
            None => (own, None),
        };
        Self {
            id: letter.id.to_string(),
            handler: letter.handler.as_deref().map(Into::into),
            event: event_of(&dialect::headers(record)),
            key: record.key().map(Bytes::of),
            value,
            original,
            headers: headers.collect(),
            timestamp: record.timestamp(),
        }
    }

    /// The letter as a record, as it was before any edit.
    pub(super) fn record(&self, topic: &str) -> Result<Outgoing, String> {
        let mut record = Outgoing::new(topic.to_owned());
        record.timestamp = self.timestamp;
        if let Some(key) = &self.key {
            record.set_key(&key.decode()?);
        }
        if let Some(value) = self.original.as_ref().or(self.value.as_ref()) {
            record.set_value(&value.decode()?);
        }
        for (name, value) in &self.headers {
            // A null header is never written: other clients refuse the record.
            if let Some(value) = value {
                record.add_raw_header(&name.decode()?, Some(&value.decode()?));
            }
        }
        Ok(record)
    }

    /// The version of its type, as its headers say.
    pub(super) fn version(&self) -> Result<u32, String> {
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            if let Some(value) = value {
                headers.push((name.decode()?, value.decode()?));
            }
        }
        let headers = headers.iter().map(|(name, value)| (&**name, &**value));
        Ok(dialect::version(&headers.collect()))
    }

    /// The payload that took the place of the letter's own.
    pub(super) fn edited(&self) -> Result<Option<Vec<u8>>, String> {
        match (&self.original, &self.value) {
            (Some(original), Some(value)) if original != value => value.decode().map(Some),
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::letter::Words;
    use super::super::samples::{Sample, ours, spring};
    use super::*;

    fn line(record: &Sample, edited: Option<&[u8]>) -> Line {
        let headers = dialect::headers(record);
        let told = dialect::read(record, &headers).unwrap();
        let mut letter = Letter::of(record, &headers, &told, &mut Words::default());
        letter.edited = edited.map(Into::into);
        let text = serde_json::to_string(&Line::of(record, &letter)).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_letter_survives_its_way_through_a_file() {
        let mut binary = ours(7);
        binary.key = Some(vec![0, 255]);
        binary.value = None;
        for record in [ours(7), spring(7), binary] {
            let written = line(&record, None).record(&record.topic).unwrap();
            let mut back = Sample::written(&written, record.partition, record.offset);
            back.topic.clone_from(&record.topic);
            assert_eq!(format!("{back:?}"), format!("{record:?}"));
        }
    }

    #[test]
    fn an_edited_letter_keeps_its_original() {
        let line = line(&ours(7), Some(b"{}"));
        assert_eq!(line.edited().unwrap().as_deref(), Some(&b"{}"[..]));
        let written = line.record("shipping.dead-letters").unwrap();
        assert_eq!(written.value(), ours(7).value());
    }

    #[test]
    fn a_line_is_stable() {
        let text = serde_json::to_string(&line(&ours(7), None)).unwrap();
        assert!(
            text.starts_with(r#"{"id":"shipping.dead-letters/0/7","handler":"shipping/ship","event":"OrderPlaced","key":"o-1","value":"{\"order_id\":\"o-1\"}","headers":[["ce_type","OrderPlaced"],["dl_kind","record"],"#),
            "{text}"
        );
    }
}
