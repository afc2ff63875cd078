//! Names inside of markup and scripts.

use events_core::escape::is_hidden;
use serde_json::Value;

/// Text or an attribute's value of HTML, and of XML 1.0, which has no way to write control characters.
pub(crate) fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Two of them begin a command in the log of a CI system.
            '#' if escaped.ends_with('#') => escaped.push_str("&#35;"),
            '\t' | '\n' => escaped.push(' '),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            hidden if is_hidden(hidden) => escaped.extend(hidden.escape_default()),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The same value with every hidden character of its texts and names as it would be written in a string: the page shows
/// them as they are. Lines of documentation stay lines.
pub(crate) fn visible(value: &mut Value) {
    let escaped = |text: &str| -> String {
        let mut shown = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                '\n' | '\t' => shown.push(character),
                hidden if is_hidden(hidden) => shown.extend(hidden.escape_default()),
                other => shown.push(other),
            }
        }
        shown
    };
    match value {
        Value::String(text) if text.chars().any(is_hidden) => *text = escaped(text),
        Value::Array(list) => list.iter_mut().for_each(visible),
        Value::Object(fields) => {
            fields.values_mut().for_each(visible);
            if fields.keys().any(|name| name.chars().any(is_hidden)) {
                let all = std::mem::take(fields).into_iter();
                *fields = all.map(|(name, value)| (escaped(&name), value)).collect();
            }
        }
        _ => {}
    }
}

/// JSON inside of a `script` element, which ends at the first `</script`, whatever stands around it.
pub(crate) fn script(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace("##", "#\\u0023")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HOSTILE: &str = "</script><img onerror=\"alert('x')\">&\u{0}";

    #[test]
    fn a_name_cannot_leave_its_place() {
        let text = markup(HOSTILE);
        assert!(!text.contains(['<', '>', '"', '\'', '\0']), "{text}");
        assert!(text.starts_with("&lt;/script&gt;&lt;img onerror=&quot;alert(&#39;x&#39;)"));
    }

    #[test]
    fn what_is_hidden_becomes_visible_on_the_page() {
        assert_eq!(markup("a\u{202e}b\u{1b}"), "a\\u{202e}b\\u{1b}");
        let mut value = json!({ "a\u{202e}": ["one\ntwo\u{9b}", 1] });
        visible(&mut value);
        assert_eq!(value, json!({ "a\\u{202e}": ["one\ntwo\\u{9b}", 1] }));
    }

    #[test]
    fn json_in_a_script_is_still_the_same_json() {
        let value = json!({ HOSTILE: [HOSTILE, "\u{2028}<!--"] });
        let text = script(&value);
        assert!(!text.contains(['<', '>', '\u{2028}']), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
