//! Bytes of keys, values and headers as text: as they are where they are UTF-8, otherwise base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
    cut(&text, most)
}

/// At most `most` characters of the first line.
pub(super) fn cut(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
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
    }
}
