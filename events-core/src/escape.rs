//! Escaping text from outside for the place where it is shown or used. Each kind of place has one function here.
//!
//! Keys, headers, payloads, errors, names in manifests and names of consumer groups are written by others. None of them
//! may move a terminal's cursor, begin a line of its own, run a command of a shell or of a CI system, or name a file
//! outside of the directory that it was asked for.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The name of the file that holds what is called `name`: one file of its directory, whatever the name is.
///
/// Letters, digits, `-`, `_` and `.` stay; every other byte becomes `%` and two hexadecimal digits. Names that differ in
/// capitals alone are one file on some systems: give one of them another name.
///
/// # Examples
///
/// ```
/// use events_core::escape::file_name;
///
/// assert_eq!(file_name("order-service", "json"), "order-service.json");
/// assert_eq!(file_name("../orders", "json"), "%2E.%2Forders.json");
/// assert_eq!(file_name("", "json"), "%.json");
/// ```
pub fn file_name(name: &str, extension: &str) -> String {
    let mut file = String::with_capacity(name.len() + 1 + extension.len());
    for (index, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        // A name that begins with a dot would be hidden, or lead elsewhere.
        if plain || (byte == b'.' && index > 0) {
            file.push(char::from(byte));
        } else {
            append(&mut file, format_args!("%{byte:02X}"));
        }
    }
    if file.is_empty() {
        file.push('%');
    }
    append(&mut file, format_args!(".{extension}"));
    file
}

/// A value within a line of text for a person: a key, a name, a header, an error.
///
/// Line breaks, control characters and characters that change the direction of text are written as Rust writes them in
/// a string. So are the marks by which CI systems know a command within a line (`##[`, `##vso[`), and one that begins a
/// line (`::`).
///
/// # Examples
///
/// ```
/// use events_core::escape::line;
///
/// assert_eq!(line("o-1"), "o-1");
/// assert_eq!(line("a\nb\u{1b}[31m"), r"a\nb\u{1b}[31m");
/// assert_eq!(line("::error::x"), r"\u{3a}:error::x");
/// ```
pub fn line(value: &str) -> Cow<'_, str> {
    escaped(value, false)
}

/// Text of several lines for a terminal or a log: as [`line()`], but line breaks and tabs stay.
///
/// Values within the text are escaped by [`line()`] before, so that they begin no line of their own.
///
/// # Examples
///
/// ```
/// use events_core::escape::text;
///
/// assert_eq!(text("one\n  ::warning::two\u{7}"), "one\n  \\u{3a}:warning::two\\u{7}");
/// ```
pub fn text(value: &str) -> Cow<'_, str> {
    escaped(value, true)
}

/// The same JSON, with nothing in it that a terminal or a CI system would obey.
///
/// # Examples
///
/// ```
/// use events_core::escape::json;
///
/// assert_eq!(json("{\"key\": \"a\u{202e}b\"}"), r#"{"key": "a\u202eb"}"#);
/// ```
pub fn json(document: &str) -> Cow<'_, str> {
    if !document.chars().any(is_hidden) && !document.contains("##") {
        return Cow::Borrowed(document);
    }
    // Such characters stand within strings alone, for JSON has no other place for them.
    let mut escaped = String::with_capacity(document.len() + 16);
    let mut before = '\0';
    for character in document.chars() {
        let layout = matches!(character, '\n' | '\t' | '\r');
        if (is_hidden(character) && !layout) || (character == '#' && before == '#') {
            for unit in character.encode_utf16(&mut [0; 2]) {
                append(&mut escaped, format_args!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(character);
        }
        before = character;
    }
    Cow::Owned(escaped)
}

/// A word of a command that a person may copy into a POSIX shell. A word of plain characters stays as it is.
///
/// A control character is written in the form `$'…'` of bash, zsh and ksh.
///
/// # Examples
///
/// ```
/// use events_core::escape::shell;
///
/// assert_eq!(shell("orders.dead-letters"), "orders.dead-letters");
/// assert_eq!(shell("x'; rm y; '"), r"'x'\''; rm y; '\'''");
/// assert_eq!(shell("a\nb"), r"$'a\x0ab'");
/// ```
pub fn shell(word: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.,:/=@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return Cow::Borrowed(word);
    }
    if !word.chars().any(is_hidden) {
        return Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")));
    }
    let mut quoted = String::from("$'");
    for byte in word.bytes() {
        if is_plain(byte) || byte == b' ' {
            quoted.push(char::from(byte));
        } else {
            append(&mut quoted, format_args!("\\x{byte:02x}"));
        }
    }
    quoted.push('\'');
    Cow::Owned(quoted)
}

/// Whether a character is not seen as itself: a control character, one that ends a line, one that changes the direction
/// of the text around it, or a tag that no font shows.
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

fn escaped(value: &str, lines: bool) -> Cow<'_, str> {
    let stays = |character: char| lines && matches!(character, '\n' | '\t');
    let suspicious = |character: char| is_hidden(character) && !stays(character);
    if !value.chars().any(suspicious) && !value.contains("::") && !value.contains("##") {
        return Cow::Borrowed(value);
    }
    let mut escaped = String::with_capacity(value.len() + 16);
    // Nothing but spaces stands between the line's begin and here.
    let mut begins = true;
    for (index, character) in value.char_indices() {
        let rest = &value[index..];
        if suspicious(character) {
            append(&mut escaped, character.escape_default());
        } else if (begins && rest.starts_with("::")) || is_ci_mark(rest) {
            append(&mut escaped, character.escape_unicode());
        } else {
            escaped.push(character);
        }
        begins = match character {
            '\n' => true,
            other => begins && other.is_whitespace(),
        };
    }
    Cow::Owned(escaped)
}

/// GitHub Actions and Azure Pipelines obey these wherever they stand in a line.
fn is_ci_mark(rest: &str) -> bool {
    let word = rest
        .strip_prefix("##")
        .map(|rest| rest.trim_start_matches(|character: char| character.is_ascii_alphabetic()));
    word.is_some_and(|rest| rest.starts_with('['))
}

fn append(text: &mut String, more: impl std::fmt::Display) {
    let written = write!(text, "{more}");
    debug_assert!(written.is_ok(), "a string takes everything");
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// What others may call a service, a key or a header.
    const HOSTILE: &[&str] = &[
        "",
        ".",
        "..",
        "../outside",
        "/etc/passwd",
        "a/../../b",
        "C:\\windows\\x",
        "a\0b",
        "\u{1b}[31mred\u{1b}[0m\u{7}",
        "\u{9b}31m",
        "a\r\nerror: forged",
        "a\u{202e}b\u{2066}\u{2028}",
        "::error file=src/lib.rs::x",
        " \t::error::x",
        "a\n::error::x",
        "x ##[error]y ##vso[task.setvariable]z",
        "x'; touch y; '",
        "$(touch y) `touch y` \\",
        "-rf",
    ];

    #[test]
    fn each_name_is_one_file_of_its_own() {
        let mut names = std::collections::BTreeSet::new();
        for name in HOSTILE {
            let file = file_name(name, "json");
            let path = std::path::Path::new(&file);
            assert_eq!(path.components().count(), 1, "{file}");
            assert!(
                !file.starts_with('.') && !file.contains(['/', '\\', '\0', ':']),
                "{file}"
            );
            assert!(names.insert(file.clone()), "{file} is two names");
        }
    }

    #[test]
    fn a_value_stays_in_its_line_and_is_obeyed_by_nothing() {
        for value in HOSTILE {
            let shown = line(value);
            assert!(!shown.chars().any(is_hidden), "{shown:?}");
            assert!(!shown.trim_start().starts_with("::"), "{shown:?}");
            assert!(
                !shown.contains("##[") && !shown.contains("##vso["),
                "{shown:?}"
            );
        }
        assert!(matches!(
            line("plain: a::b # c"),
            Cow::Owned(_) | Cow::Borrowed("plain: a::b # c")
        ));
        assert_eq!(
            line("events_core::Error ### title"),
            "events_core::Error ### title"
        );
    }

    #[test]
    fn text_keeps_its_lines_alone() {
        let shown = text("a\n\tb\r\n::error::x\n\u{202e}");
        assert_eq!(shown, "a\n\tb\\r\n\\u{3a}:error::x\n\\u{202e}");
        assert!(matches!(text("a\n\tb"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_stays_the_same_json() {
        for value in HOSTILE.iter().chain(&["\u{e0041}##[x]"]) {
            let written = serde_json::to_string_pretty(&Value::from(*value)).unwrap();
            let shown = json(&written);
            assert!(!shown.chars().any(is_hidden), "{shown:?}");
            assert!(!shown.contains("##["), "{shown:?}");
            assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), *value);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_the_word_that_was_meant() {
        for word in HOSTILE.iter().filter(|word| !word.contains('\0')) {
            let quoted = shell(word);
            assert!(!quoted.chars().any(is_hidden), "{quoted:?}");
            let said = std::process::Command::new("bash")
                .args(["-c", &format!("printf '<%s>' {quoted} end")])
                .output()
                .expect("bash runs");
            let said = String::from_utf8(said.stdout).unwrap();
            assert_eq!(said, format!("<{word}><end>"), "{quoted}");
        }
    }
}
