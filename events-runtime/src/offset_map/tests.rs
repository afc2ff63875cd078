//! The map's format and its bound.

use super::*;

#[test]
fn the_format_is_pinned() {
    let runs = vec![(102, 105), (1107, 1108)];
    let text = encode(100, &[(7, runs.clone()), (9, runs), (11, vec![])]).unwrap();
    assert_eq!(text, "ev1:AgcAAAAJAAAAAAUCA-oHAQ");
    let many: Vec<_> = (0..40)
        .map(|step| (101 + 2 * step, 102 + 2 * step))
        .collect();
    assert_eq!(
        encode(100, &[(7, many)]).unwrap(),
        "ev1:AQcAAAABCqqqqqqqqqqqqqo"
    );
}

#[test]
fn what_was_written_is_read() {
    for step in 1..20 {
        let runs: Vec<_> = (0..100)
            .map(|run| (5 + run * step * 2, 5 + run * step * 2 + step))
            .collect();
        let text = encode(3, &[(1, runs.clone()), (2, vec![(4, 5)])]).unwrap();
        let map = OffsetMap::decode(3, &text);
        for offset in 0..4_500 {
            let expected = runs.iter().any(|run| run.0 <= offset && offset < run.1);
            assert_eq!(
                map.is_done(1, offset),
                expected,
                "step {step}, offset {offset}"
            );
            assert_eq!(map.is_done(2, offset), offset == 4);
        }
        assert_eq!(map.end(), runs.last().map(|run| run.1));
        assert!(!map.is_done(3, 6));
    }
}

#[test]
fn the_bound_holds_for_the_worst_pattern() {
    for handlers in [1usize, 2, 5] {
        let mut span = 8u64;
        while fits(span, (0..handlers).map(|_| span / 2), 0, handlers as u64) {
            span += 8;
        }
        span -= 8;
        let worst = |shift| {
            (0..span as i64 / 2)
                .map(|step| (2 * step + shift, 2 * step + shift + 1))
                .collect()
        };
        // Different sets, so that none shares a section.
        let all: Vec<_> = (0..handlers)
            .map(|handler| {
                let mut runs: Vec<Run> = worst(1);
                runs.truncate(runs.len() - handler);
                (handler as u32, runs)
            })
            .collect();
        assert!(
            encode(0, &all).is_some(),
            "{handlers} handlers, span {span}"
        );
        assert!(span > 1_000, "the bound is too careful: {span}");
    }
}

#[test]
fn the_bound_holds_for_any_pattern() {
    let (mut held, mut refused) = (0, 0);
    for seed in 0..2_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let count = random.u64(1..1_500);
        let widest = random.i64(2..400);
        let mut end = 0;
        let runs: Vec<Run> = (0..=count)
            .map(|_| {
                let start = end + random.i64(1..widest);
                end = start + random.i64(1..widest);
                (start, end)
            })
            .collect();
        let more = random.u64(0..=count);
        if fits(end as u64, std::iter::once(count - more), more, 1) {
            assert!(encode(0, &[(1, runs)]).is_some(), "seed {seed}");
            held += 1;
        } else {
            refused += 1;
        }
    }
    assert!(
        held > 100 && refused > 100,
        "{held} held, {refused} refused"
    );
}

#[test]
fn a_key_that_waits_leaves_room_for_the_others() {
    // One record of 125 is not done, as of one key among a thousand on eight partitions.
    let (held, each) = (900, 125);
    assert!(fits(held * each, std::iter::once(held), 32, 1));
    assert!(!fits(held * each, std::iter::once(4 * held), 32, 1));
}

#[test]
fn foreign_metadata_reads_as_nothing_done() {
    for metadata in [
        "hello",
        "ev1:",
        "ev1:!!!!",
        "ev1:Af____8",
        "ev2:AgcAAAAJAAAAAAQCAwIB",
        &"x".repeat(5_000),
    ] {
        assert_eq!(
            OffsetMap::decode(0, metadata),
            OffsetMap::default(),
            "{metadata}"
        );
    }
}

#[test]
fn a_shorter_map_is_true_and_as_long_as_it_may_be() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut handlers = Vec::new();
        for hash in 0..random.u32(1..6) {
            let mut end = 100;
            let runs: Vec<Run> = (0..random.u32(0..200))
                .map(|_| {
                    let start = end + random.i64(1..90);
                    end = start + random.i64(1..90);
                    (start, end)
                })
                .collect();
            handlers.push((hash, runs));
        }
        let whole = write(100, &handlers);
        assert_eq!(
            encode_within(100, &handlers, whole.len()),
            (whole.clone(), None)
        );
        for most in [0, 10, 20, 64, 200, 512, whole.len().saturating_sub(1)] {
            if most >= whole.len() {
                continue;
            }
            let (text, end) = encode_within(100, &handlers, most);
            let end = end.expect("it is not whole");
            assert!(text.len() <= most, "seed {seed}, {most}: {}", text.len());
            let map = OffsetMap::decode(100, &text);
            for (hash, runs) in &handlers {
                for offset in (100..20_000).step_by(37).chain(end - 40..end + 40) {
                    let expected = offset < end && find(runs, offset).is_some();
                    assert_eq!(
                        map.is_done(*hash, offset),
                        expected,
                        "seed {seed}, {offset}"
                    );
                }
            }
            assert!(
                write(100, &below(&handlers, end + 1)).len() > most,
                "seed {seed}, {most}"
            );
        }
    }
}
