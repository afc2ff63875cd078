//! Bytes of keys, values and headers as text: as they are where they are UTF-8, otherwise base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use events_core::escape::{self, line};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Bytes in JSON: a string, or `{"base64": "…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Bytes {
    Text(String),
    Binary { base64: String },
}

impl Bytes {
    pub(super) fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Binary {
                base64: STANDARD.encode(bytes),
            },
        }
    }

    pub(super) fn decode(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::Text(text) => Ok(text.clone().into_bytes()),
            Self::Binary { base64 } => STANDARD
                .decode(base64)
                .map_err(|error| format!("`{base64}` is no base64: {error}")),
        }
    }
}

/// Bytes in a table, at most `most` characters of them.
pub(super) fn shown(bytes: &[u8], most: usize) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => format!("base64:{}", STANDARD.encode(bytes)),
    };
    within(&text, most)
}

/// At most `most` characters of the first line.
pub(super) fn cut(text: &str, most: usize) -> String {
    within(text.lines().next().unwrap_or_default(), most)
}

fn within(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", line(&text[..end])),
        None => line(text).into_owned(),
    }
}

/// A header's value in a line.
pub(super) fn header(value: Option<&Bytes>) -> String {
    match value {
        Some(Bytes::Text(text)) => line(text).into_owned(),
        Some(Bytes::Binary { base64 }) => format!("base64:{base64}"),
        None => "(null)".to_owned(),
    }
}

/// A payload among other lines: text that is no JSON is marked, so that none of its lines looks like one of ours.
pub(super) fn quoted(payload: &[u8]) -> String {
    let shown = pretty(payload);
    if serde_json::from_slice::<serde::de::IgnoredAny>(payload).is_ok() {
        return escape::json(&shown).into_owned();
    }
    let lines: Vec<_> = shown
        .split('\n')
        .map(|part| format!("| {}", line(part)))
        .collect();
    lines.join("\n")
}

/// A payload as a person reads it: JSON with line breaks, other text as it is, otherwise base64.
pub(super) fn pretty(payload: &[u8]) -> String {
    match serde_json::from_slice::<Value>(payload) {
        Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_else(|_| value.to_string()),
        Err(_) => match std::str::from_utf8(payload) {
            Ok(text) => text.to_owned(),
            Err(_) => format!("base64:{}", STANDARD.encode(payload)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_their_way_through_json() {
        for bytes in [
            &b""[..],
            b"o-1",
            "\u{e4}\n\"".as_bytes(),
            &[0, 159, 146, 150],
        ] {
            let text = serde_json::to_string(&Bytes::of(bytes)).unwrap();
            let back: Bytes = serde_json::from_str(&text).unwrap();
            assert_eq!(back.decode().unwrap(), bytes, "{text}");
        }
        assert_eq!(
            serde_json::to_string(&Bytes::of(&[255])).unwrap(),
            r#"{"base64":"/w=="}"#
        );
    }

    #[test]
    fn a_payload_is_shown_as_what_it_is() {
        assert_eq!(pretty(br#"{"a":1}"#), "{\n  \"a\": 1\n}");
        assert_eq!(pretty(b"plain"), "plain");
        assert_eq!(pretty(&[255]), "base64:/w==");
        assert_eq!(shown(b"abcdef", 3), "abc…");
        assert_eq!(cut("one\ntwo", 10), "one");
        assert_eq!(quoted(br#"{"a":1}"#), pretty(br#"{"a":1}"#));
    }

    #[test]
    fn text_from_outside_stays_in_its_place() {
        let red = "\u{1b}[31mred\r\nerror: forged\u{202e}";
        let shown = [
            shown(red.as_bytes(), 100),
            cut(red, 100),
            header(Some(&Bytes::of(red.as_bytes()))),
            quoted(red.as_bytes()),
            quoted(serde_json::to_string(red).unwrap().as_bytes()),
        ];
        for text in shown {
            let mut lines = text.lines();
            assert!(!lines.any(|line| line.starts_with("error")), "{text:?}");
            let hidden = |character| escape::is_hidden(character) && character != '\n';
            assert!(!text.chars().any(hidden), "{text:?}");
        }
    }
}
