//! Times, as the command line reads and shows them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch.
pub(super) type Millis = i64;

pub(super) fn now() -> Millis {
    of(SystemTime::now())
}

fn of(time: SystemTime) -> Millis {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// RFC 3339 with milliseconds.
pub(super) fn rfc3339(millis: Millis) -> String {
    let since = Duration::from_millis(millis.max(0).unsigned_abs());
    // The last year that the format knows is 9999.
    let last = Duration::from_secs(253_402_300_799);
    humantime::format_rfc3339_millis(UNIX_EPOCH + since.min(last)).to_string()
}

/// Reads RFC 3339.
pub(super) fn parse(text: &str) -> Option<Millis> {
    humantime::parse_rfc3339_weak(text).ok().map(of)
}

/// Reads a time as people give it: RFC 3339, or how long ago, such as `90m` or `2days`.
pub(super) fn given(text: &str) -> Result<Millis, String> {
    if let Some(millis) = parse(text) {
        return Ok(millis);
    }
    match humantime::parse_duration(text) {
        Ok(ago) => Ok(now() - i64::try_from(ago.as_millis()).unwrap_or(i64::MAX)),
        Err(_) => Err(format!(
            "`{text}` is no time; give RFC 3339, such as 2026-01-31T12:00:00Z, or how long ago, such as 90m or 2days"
        )),
    }
}

/// How long ago, in its two largest units: `3h 20m`.
pub(super) fn ago(then: Millis, now: Millis) -> String {
    let seconds = (now - then).max(0) / 1000;
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let first = units.iter().position(|(count, _)| *count > 0);
    let shown = units.iter().skip(first.unwrap_or(3)).take(2);
    let shown: Vec<_> = shown
        .enumerate()
        .filter(|(place, (count, _))| *place == 0 || *count > 0)
        .map(|(_, (count, unit))| format!("{count}{unit}"))
        .collect();
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_two_units() {
        let of_seconds = |seconds: i64| ago(0, seconds * 1000);
        assert_eq!(of_seconds(0), "0s");
        assert_eq!(of_seconds(59), "59s");
        assert_eq!(of_seconds(3600), "1h");
        assert_eq!(of_seconds(12_000), "3h 20m");
        assert_eq!(of_seconds(90_000), "1d 1h");
        assert_eq!(ago(1000, 0), "0s");
    }

    #[test]
    fn a_time_is_a_date_or_how_long_ago() {
        assert_eq!(given("1970-01-01T00:00:01Z"), Ok(1000));
        let hour = now() - given("1h").unwrap();
        assert!((3_600_000..3_660_000).contains(&hour), "{hour}");
        assert!(given("yesterday").unwrap_err().contains("90m"));
        assert_eq!(parse(&rfc3339(1_234_567)), Some(1_234_567));
    }
}
