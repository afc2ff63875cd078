//! Upper limits of what settings and handlers may say.

use std::time::Duration;

use events_core::{Fault, Parking, Registry};

use super::Settings;

/// The longest time that a setting may name: 100 years. A clock can tell every moment that is so far away.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);
/// The longest commit interval that the client takes.
const LONGEST_TICK: Duration = Duration::from_secs(24 * 3_600);
/// The largest batch: each lane sets room for one aside.
const LARGEST_BATCH: usize = 1_000_000;

/// The settings that are too high, each with its remedy.
pub(super) fn too_high(settings: &Settings) -> Vec<Fault> {
    let times = [
        ("park.min", settings.park.map(|park| park.min)),
        ("park.max", settings.park.map(|park| park.max)),
        ("park.max_age", settings.park.map(|park| park.max_age)),
        ("retry.min", Some(settings.retry.min)),
        ("retry.max", Some(settings.retry.max)),
        (
            "hold_probe",
            Some(settings.hold_probe.0.max(settings.hold_probe.1)),
        ),
        ("hold_max", Some(settings.hold_max)),
        ("timeout", Some(settings.timeout)),
        ("drain", Some(settings.drain)),
        ("stall", Some(settings.stall)),
    ];
    let mut faults = too_long("", times);
    if settings.commit_interval > LONGEST_TICK {
        faults.push(Fault::new(
            "settings",
            format!(
                "`commit_interval` is {:?}, longer than a day",
                settings.commit_interval
            ),
            "lower it: what was done since the last commit is done again after a kill",
        ));
    }
    if settings.batch > LARGEST_BATCH {
        faults.push(Fault::new(
            "settings",
            format!("`batch` is {}, above {LARGEST_BATCH}", settings.batch),
            "lower it: each lane sets room aside for a batch; the default is 512",
        ));
    }
    if settings.dedupe_window > u32::MAX as usize {
        faults.push(Fault::new(
            "settings",
            format!(
                "`dedupe_window` is {}, above {}",
                settings.dedupe_window,
                u32::MAX
            ),
            "lower it: each lane remembers so many ids, of some 20 bytes each",
        ));
    }
    faults
}

/// What handlers say of themselves is bounded like the settings.
pub(crate) fn of_handlers(service: &str, registry: &Registry) -> Vec<Fault> {
    let handlers = registry.handlers_of(service).into_iter();
    let faults = handlers.flat_map(|handler| {
        let options = &handler.options;
        let retry = options.retry;
        let park = match options.park {
            Some(Parking::On(park)) => Some(park),
            Some(Parking::Off) | None => None,
        };
        let place = format!("handler `{}` ({}): ", handler.name, handler.location);
        let times = [
            ("timeout", options.timeout),
            ("retry.min", retry.map(|retry| retry.min)),
            ("retry.max", retry.map(|retry| retry.max)),
            ("park.min", park.map(|park| park.min)),
            ("park.max", park.map(|park| park.max)),
            ("park.max_age", park.map(|park| park.max_age)),
        ];
        too_long(&place, times)
    });
    faults.collect()
}

fn too_long<const N: usize>(
    place: &str,
    times: [(&'static str, Option<Duration>); N],
) -> Vec<Fault> {
    let given = times
        .into_iter()
        .filter_map(|(name, time)| Some((name, time?)));
    given
        .filter(|(_, time)| *time > LONGEST)
        .map(|(name, time)| {
            Fault::new(
                "settings",
                format!("{place}`{name}` is {time:?}, longer than 100 years"),
                "lower it; where there is to be no limit, write a time that is long enough, for example a year",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use events_core::{Park, Retry};

    use super::*;

    /// Names of the settings that are faults.
    fn faulty(settings: &Settings) -> Vec<String> {
        let faults = settings.validate().into_iter();
        let names = faults.filter_map(|fault| Some(fault.message.split('`').nth(1)?.to_owned()));
        names.collect()
    }

    #[test]
    fn each_setting_that_is_too_high_is_a_fault() {
        assert_eq!(faulty(&Settings::default()), Vec::<String>::new());
        let too_high = Settings {
            batch: usize::MAX,
            dedupe_window: usize::MAX,
            retry: Retry {
                attempts: u32::MAX,
                min: Duration::MAX,
                max: Duration::MAX,
            },
            park: Some(Park {
                min: Duration::MAX,
                max: Duration::MAX,
                max_age: Duration::MAX,
            }),
            hold_probe: (Duration::MAX, Duration::MAX),
            hold_max: Duration::MAX,
            timeout: Duration::MAX,
            commit_interval: Duration::MAX,
            drain: Duration::MAX,
            stall: Duration::MAX,
            ..Settings::default()
        };
        let names = [
            "park.min",
            "park.max",
            "park.max_age",
            "retry.min",
            "retry.max",
            "hold_probe",
            "hold_max",
            "timeout",
            "drain",
            "stall",
            "commit_interval",
            "batch",
            "dedupe_window",
        ];
        assert_eq!(faulty(&too_high), names);
    }

    #[test]
    fn the_highest_settings_are_no_faults() {
        let highest = Settings {
            batch: LARGEST_BATCH,
            dedupe_window: u32::MAX as usize,
            retry: Retry {
                attempts: u32::MAX,
                min: LONGEST,
                max: LONGEST,
            },
            park: Some(Park {
                min: LONGEST,
                max: LONGEST,
                max_age: LONGEST,
            }),
            hold_probe: (LONGEST, LONGEST),
            hold_max: LONGEST,
            timeout: LONGEST,
            commit_interval: LONGEST_TICK,
            drain: LONGEST,
            stall: LONGEST,
            ..Settings::default()
        };
        assert_eq!(faulty(&highest), Vec::<String>::new());
    }
}
