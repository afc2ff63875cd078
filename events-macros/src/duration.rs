//! Lengths of time as users write them: `250ms`, `30s`, `5m`, `2d`.

use std::time::Duration;

/// How a length of time is written.
pub(crate) const USAGE: &str = "give a number and a unit: 250ms, 30s, 5m, 1h, 1d";

const DAY: u64 = 86_400_000;

/// Reads how long something may take or wait at once.
///
/// # Errors
///
/// What is wrong with the text, and how it is written.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    // More is a slip of the pen.
    bounded(
        text,
        DAY,
        "longer than a day: a record would wait for so long",
    )
}

/// Reads how old something may become.
///
/// # Errors
///
/// What is wrong with the text, and how it is written.
pub(crate) fn parse_age(text: &str) -> Result<Duration, String> {
    bounded(
        text,
        365 * DAY,
        "longer than 365 days: nobody would remember the record",
    )
}

fn bounded(text: &str, most: u64, beyond: &str) -> Result<Duration, String> {
    let text = text.trim();
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let millis = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => DAY,
        _ => return Err(format!("`{text}` is no length of time: {USAGE}")),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| format!("`{text}` is no length of time: {USAGE}"))?;
    let total = number.checked_mul(millis).filter(|total| *total <= most);
    match total {
        None => Err(format!("`{text}` is {beyond}")),
        Some(0) => Err(format!("`{text}` is no time at all: {USAGE}")),
        Some(total) => Ok(Duration::from_millis(total)),
    }
}

/// Reads `50ms..1s`, or one length for both ends.
///
/// # Errors
///
/// What is wrong with the text, and how it is written.
pub(crate) fn parse_range(text: &str) -> Result<(Duration, Duration), String> {
    let (min, max) = text.split_once("..").unwrap_or((text, text));
    let (min, max) = (parse(min)?, parse(max)?);
    if min > max {
        return Err(format!(
            "`{text}` ends before it begins: write the shortest wait first, as in 50ms..1s"
        ));
    }
    Ok((min, max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_are_lengths() {
        assert_eq!(parse("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse(" 30 s "), Ok(Duration::from_secs(30)));
        assert_eq!(parse("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(parse("24h"), Ok(Duration::from_secs(86_400)));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "30",
            "s",
            "-1s",
            "1.5s",
            "1w",
            "0s",
            "25h",
            "99999999999999999999s",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ages_may_be_longer_than_a_day() {
        assert_eq!(parse("1d"), Ok(Duration::from_secs(86_400)));
        assert!(parse("2d").is_err());
        assert_eq!(parse_age("2d"), Ok(Duration::from_secs(2 * 86_400)));
        assert!(parse_age("366d").is_err());
    }

    #[test]
    fn ranges_have_two_ends_in_order() {
        let expected = (Duration::from_millis(50), Duration::from_secs(1));
        assert_eq!(parse_range("50ms..1s"), Ok(expected));
        assert_eq!(
            parse_range("1s"),
            Ok((Duration::from_secs(1), Duration::from_secs(1)))
        );
        assert!(parse_range("1s..50ms").is_err());
        assert!(parse_range("1s..").is_err());
    }
}
