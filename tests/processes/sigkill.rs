//! D1 and D3 (a): a worker is killed in the middle of work.

use std::collections::BTreeSet;

use end_to_end_tests::{What, sigkill};

use crate::scene::{Scene, repeated};
use crate::wait::{holds, until};

const KEYS: usize = 30;
const RECORDS: usize = 300;

fn ended(scene: &Scene) -> BTreeSet<i64> {
    scene
        .work(What::End)
        .iter()
        .map(|line| line.offset)
        .collect()
}

/// One key holds the watermark back while the others finish. After a kill and a restart nothing is lost, and what the
/// committed map says is done is not run again: per handler, since `audit` has also done what `work` is stuck on.
#[test]
fn what_was_done_before_a_kill_is_not_run_again() {
    let scene = Scene::new(sigkill::STAGE, 1);
    let gate = scene.gate("stuck");
    let worker = scene.worker(|behaviour| {
        behaviour.gates.insert("stuck".into(), gate.clone());
    });
    let mut tasks = vec![scene.task("stuck")];
    tasks.extend((0..RECORDS).map(|index| scene.task(&format!("key-{}", index % KEYS))));
    tasks.push(scene.task("stuck"));
    let offsets = scene.publish(&tasks);
    let (first, last) = (offsets[0], offsets[RECORDS + 1]);
    let (work, audit) = (scene.hash("work"), scene.hash("audit"));

    // Keys that share the slot of the stuck one wait for its attempt (D6), so a few others are not done either.
    let done = until("the map says of everything done that it is", || {
        let now = ended(&scene);
        let committed = scene.committed();
        let found = committed.get(&0).ok_or("nothing is committed")?;
        assert!(found.watermark <= first, "D1: the stuck record is not done");
        let is_done = |offset: &&i64| found.map.is_done(work, **offset);
        let done: BTreeSet<i64> = offsets.iter().filter(is_done).copied().collect();
        assert!(
            done.is_subset(&ended(&scene)),
            "D1: the map runs ahead of the work"
        );
        let audited = offsets
            .iter()
            .filter(|offset| found.map.is_done(audit, **offset))
            .count();
        // Tasks of all keys take turns, so that every key is done or none of it is when nothing more can be done.
        let whole = (1..=KEYS).all(|key| {
            let of_key = offsets[key..=RECORDS].iter().step_by(KEYS);
            let count = of_key.filter(|offset| now.contains(offset)).count();
            count == 0 || count == RECORDS / KEYS
        });
        let most = now.len() >= RECORDS * 3 / 4;
        let settled = whole && most && done == now && audited == offsets.len();
        holds(settled, || {
            format!(
                "{} ended, {} committed, {audited} audited",
                now.len(),
                done.len()
            )
        })?;
        Ok(done)
    });
    worker.kill();
    assert!(
        !done.contains(&first) && !done.contains(&last),
        "the stuck key is stuck"
    );

    scene.open("stuck");
    let worker = scene.worker(|_| {});
    scene.await_all_done();
    worker.stop().drained();

    let ended = ended(&scene);
    assert!(
        offsets.iter().all(|offset| ended.contains(offset)),
        "D1: nothing is lost"
    );
    let again = repeated(&scene.work(What::Begin));
    assert_eq!(
        again,
        [((0, first), 2)],
        "D3: only what was under way is run again"
    );
    let audited = scene.of("audit", What::Begin);
    assert_eq!(
        (audited.len(), repeated(&audited)),
        (RECORDS + 2, vec![]),
        "D3: progress is kept per handler"
    );
    assert_eq!(scene.dead_letters(), []);
}
