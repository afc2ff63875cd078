//! D5 and D6: a key whose records always fail, beside good ones.

use std::time::Duration;

use end_to_end_tests::{What, poison};

use crate::scene::Scene;

const GOOD: usize = 200;
const ATTEMPTS: u32 = 3;

/// Good keys do not wait for the poisoned one; its records fail in order and end as dead letters that keep everything.
#[test]
fn a_poisoned_key_stops_nobody_and_ends_as_dead_letters() {
    let scene = Scene::new(poison::STAGE, 1);
    let worker = scene.worker(|behaviour| {
        behaviour.poison = vec!["poison".into()];
        behaviour.attempts = ATTEMPTS;
        // Far longer than the good ones take all together; the order of lines is what counts.
        behaviour.backoff = (Duration::from_secs(8), Duration::from_secs(8));
        // Every good key shares the slot of the poisoned one.
        behaviour.concurrency = 1;
    });
    let first = scene
        .task("poison")
        .with("tenant", Some(b"acme"))
        .with("raw", Some(b"\xff\x00"));
    let mut tasks = vec![first.clone()];
    tasks.extend((0..GOOD).map(|index| scene.task(&format!("good-{}", index % 20))));
    let second = scene.task("poison");
    tasks.push(second.clone());
    let offsets = scene.publish(&tasks);
    scene.await_all_done();
    worker.stop().drained();

    let lines = scene.lines();
    let place = |what, offset, attempt| {
        let found = lines
            .iter()
            .position(|line| (line.what, line.offset, line.attempt) == (what, offset, attempt));
        found.unwrap_or_else(|| panic!("no line {what:?} of offset {offset}, attempt {attempt}"))
    };
    let (one, other) = (offsets[0], offsets[GOOD + 1]);
    let retried = place(What::Begin, one, 2);
    for offset in &offsets[1..=GOOD] {
        assert!(
            place(What::End, *offset, 1) < retried,
            "D6: offset {offset} waited for the poisoned key"
        );
    }
    assert!(
        place(What::Fail, one, ATTEMPTS) < place(What::Begin, other, 1),
        "D2: the key's records stay in order"
    );
    assert_eq!(scene.work(What::Begin).len(), GOOD + 2 * ATTEMPTS as usize);
    assert_eq!(scene.work(What::End).len(), GOOD);

    let letters = scene.dead_letters();
    assert_eq!(letters.len(), 2, "{letters:?}");
    for (letter, (task, offset)) in letters.iter().zip([(&first, one), (&second, other)]) {
        assert_eq!(
            (&letter.key, &letter.value),
            (&task.key, &task.value),
            "D5: key and value are kept"
        );
        for (name, value) in &task.headers {
            let kept = letter
                .headers
                .iter()
                .any(|(known, kept)| known == name && kept == value);
            assert!(kept, "D5: the header {name} is kept: {:?}", letter.headers);
        }
        assert_eq!(letter.header("dl_topic"), scene.stage.topic);
        assert_eq!(letter.header("dl_partition"), "0");
        assert_eq!(letter.header("dl_offset"), offset.to_string());
        assert_eq!(letter.header("dl_handler"), "e2e-poison/work");
        assert_eq!(letter.header("dl_attempts"), ATTEMPTS.to_string());
        assert_eq!(letter.header("dl_kind"), "record");
        assert_eq!(
            letter.header("dl_error"),
            "work cannot do poison\ncaused by: the task is poison"
        );
        assert!(letter.header("dl_time").ends_with('Z'));
    }
}
