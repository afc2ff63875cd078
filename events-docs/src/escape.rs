//! Names inside of markup and scripts.

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
            '\t' | '\n' => escaped.push(' '),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                escaped.push('\u{fffd}')
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// JSON inside of a `script` element, which ends at the first `</script`, whatever stands around it.
pub(crate) fn script(value: &Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
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
    fn json_in_a_script_is_still_the_same_json() {
        let value = json!({ HOSTILE: [HOSTILE, "\u{2028}<!--"] });
        let text = script(&value);
        assert!(!text.contains(['<', '>', '\u{2028}']), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
