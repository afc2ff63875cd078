use events_kafka::{dead_letter_header as dl, header};
use events_runtime::parked_header as pk;
use faults::{Line, TASKS, What};

use super::*;

const GROUP: &str = "group";

/// Two tasks of one key, done by one worker, one after the other.
fn clean() -> Evidence {
    let mut evidence = Evidence {
        group: GROUP.into(),
        ..Evidence::default()
    };
    for number in 1..=2 {
        let id = format!("t{number}");
        let offset = number - 1;
        evidence.tasks.push(
            Found {
                offset,
                key: "k".into(),
                value: "{}".into(),
                ..Found::default()
            }
            .with(header::ID, &id)
            .with(header::TYPE, "FaultTask"),
        );
        evidence.done.push(
            Found {
                offset,
                key: "k".into(),
                ..Found::default()
            }
            .with(header::ID, &format!("reaction to {id}"))
            .with(header::CAUSATION_ID, &id),
        );
        push(&mut evidence, What::Produced, "", number);
    }
    for number in 1..=2 {
        for handler in HANDLERS {
            push(&mut evidence, What::Begin, handler, number);
            push(&mut evidence, What::Effect, handler, number);
            push(&mut evidence, What::End, handler, number);
        }
        push(&mut evidence, What::Acked, "", number);
        push(&mut evidence, What::Commit, "", number + 1);
        push(&mut evidence, What::Committed, "", number + 1);
    }
    evidence
}

/// A line about task `number`, a second after the one before.
fn push(evidence: &mut Evidence, what: What, handler: &str, number: i64) {
    evidence.lines.push(Line {
        at: (evidence.lines.len() as u64 + 1) * 1_000_000,
        who: "worker-1".into(),
        what,
        handler: handler.into(),
        id: format!("t{number}"),
        key: "k".into(),
        offset: number - 1,
        attempt: 1,
        epoch: 1,
        ..Line::default()
    });
}

fn place(evidence: &Evidence, what: What, handler: &str, number: i64) -> usize {
    let found = evidence.lines.iter().position(|line| {
        (line.what, line.handler.as_str(), line.offset) == (what, handler, number - 1)
    });
    found.expect("the clean history has the line")
}

fn violated(evidence: &Evidence, allowed: &Allowed) -> Vec<&'static str> {
    let (violations, _) = check(evidence, allowed);
    let mut names: Vec<_> = violations.iter().map(|found| found.invariant).collect();
    names.dedup();
    names
}

fn strictly(evidence: &Evidence) -> Vec<&'static str> {
    violated(evidence, &Allowed::default())
}

#[test]
fn a_clean_history_holds() {
    assert_eq!(strictly(&clean()), [""; 0]);
}

#[test]
fn a_task_that_nobody_did_is_lost() {
    let mut evidence = clean();
    evidence
        .lines
        .retain(|line| line.handler != "audit" || line.offset != 1);
    assert!(strictly(&evidence).contains(&"I1"));
}

#[test]
fn an_acknowledged_task_that_is_gone_is_lost() {
    let mut evidence = clean();
    evidence.tasks.pop();
    assert!(strictly(&evidence).contains(&"I1"));
    let mut allowed = Allowed::default();
    allowed.gone.insert(0, 2);
    assert!(!violated(&evidence, &allowed).contains(&"I1"));
}

/// `audit` does the second task again at the end, after what `between` adds.
fn again(between: impl FnOnce(&mut Evidence), change: impl Fn(&mut Line)) -> Vec<&'static str> {
    let mut evidence = clean();
    between(&mut evidence);
    for what in [What::Begin, What::Effect, What::End] {
        push(&mut evidence, what, "audit", 2);
        if let Some(line) = evidence.lines.last_mut() {
            change(line);
        }
    }
    strictly(&evidence)
}

fn other(line: &mut Line) {
    line.who = "worker-2".into();
}

#[test]
fn what_is_done_again_needs_an_excuse() {
    assert_eq!(again(|_| {}, other), ["I2"]);
    // A duplicate stands elsewhere; another assignment may not know its id.
    let elsewhere = |line: &mut Line| line.offset = 2;
    assert_eq!(again(|_| {}, elsewhere), ["I2"]);
    let another = |line: &mut Line| {
        line.offset = 2;
        line.epoch = 2;
    };
    assert_eq!(again(|_| {}, another), [""; 0]);
}

#[test]
fn a_kill_excuses_what_was_done_shortly_before_it() {
    let killed = |after: u64| {
        move |evidence: &mut Evidence| {
            let at = evidence.lines[place(evidence, What::Effect, "audit", 2)].at + after;
            push(evidence, What::Killed, "", 0);
            if let Some(line) = evidence.lines.last_mut() {
                line.at = at;
            }
        }
    };
    assert_eq!(again(killed(2_000_000), other), [""; 0]);
    assert_eq!(again(killed(4_000_000), other), ["I2"]);
}

/// Both tasks are done again by another member in the time of a fault that loses everybody, `times` over.
fn around_a_fault(times: usize) -> Vec<&'static str> {
    let mut evidence = Evidence::default();
    push(&mut evidence, What::Fault, "", 0);
    let clean = clean();
    evidence.tasks = clean.tasks;
    evidence.done = clean.done;
    evidence.group = clean.group;
    for mut line in clean.lines {
        line.at += 1_000_000;
        evidence.lines.push(line);
    }
    push(&mut evidence, What::Healed, "", 0);
    for _ in 0..times {
        for (handler, number) in [("audit", 1), ("audit", 2)] {
            for what in [What::Begin, What::Effect, What::End] {
                push(&mut evidence, what, handler, number);
                let healed = place(&evidence, What::Healed, "", 0);
                let at = evidence.lines[healed].at;
                let line = evidence.lines.last_mut().expect("it was pushed");
                (line.who, line.at) = ("worker-2".into(), at + 1_000);
            }
        }
    }
    let allowed = Allowed {
        faults_lose: true,
        overlaps: true,
        ..Allowed::default()
    };
    violated(&evidence, &allowed)
}

#[test]
fn a_fault_that_loses_everybody_excuses_as_much_as_was_done_in_it() {
    assert_eq!(around_a_fault(1), [""; 0]);
    // Four effects were new.
    assert_eq!(around_a_fault(2), [""; 0]);
    assert_eq!(around_a_fault(3), ["I2"]);
}

#[test]
fn what_the_broker_held_as_done_has_no_excuse() {
    let lost = |evidence: &mut Evidence| {
        push(evidence, What::Killed, "", 0);
        push(evidence, What::Assigned, "", 2);
        if let Some(line) = evidence.lines.last_mut() {
            // The epoch of the assignment.
            (line.who, line.offset) = ("worker-2".into(), 1);
        }
    };
    assert_eq!(again(lost, other), ["I2"]);
}

#[test]
fn attempts_at_a_key_do_not_overlap() {
    let mut evidence = clean();
    let (end, begin) = (
        place(&evidence, What::End, "audit", 1),
        place(&evidence, What::Begin, "audit", 2),
    );
    evidence.lines.swap(end, begin);
    assert!(strictly(&evidence).contains(&"I3"));
}

#[test]
fn a_key_is_done_in_log_order() {
    let mut evidence = clean();
    for line in &mut evidence.lines {
        if line.handler == "audit" {
            let number = 3 - (line.offset + 1);
            (line.id, line.offset) = (format!("t{number}"), number - 1);
        }
    }
    assert!(strictly(&evidence).contains(&"I3"));
}

#[test]
fn nothing_begins_before_what_stands_in_front_of_it_is_done() {
    let mut evidence = clean();
    let end = place(&evidence, What::End, "audit", 1);
    evidence.lines[end].what = What::Fail;
    let violated = strictly(&evidence);
    assert!(violated.contains(&"I3"), "{violated:?}");
}

#[test]
fn nothing_is_committed_that_is_not_done() {
    for what in [What::Commit, What::Committed] {
        let mut evidence = clean();
        let committed = place(&evidence, what, "", 2);
        let line = evidence.lines.remove(committed);
        evidence.lines.insert(2, line);
        assert!(strictly(&evidence).contains(&"I4"), "{what:?}");
    }
    // The handler has ended; its emission is not acknowledged.
    let mut evidence = clean();
    let acked = place(&evidence, What::Acked, "", 2);
    let line = evidence.lines.remove(acked);
    evidence.lines.push(line);
    assert_eq!(strictly(&evidence), ["I4"]);
}

/// The second task is parked by `audit` and never done by it, `before` what is committed.
fn parked(token: &str, before: &[What]) -> Vec<&'static str> {
    let mut evidence = clean();
    evidence
        .lines
        .retain(|line| line.handler != "audit" || line.offset != 1);
    let commit = place(&evidence, What::Commit, "", 3);
    for what in before.iter().rev() {
        push(&mut evidence, *what, "", 2);
        let line = evidence.lines.pop().expect("it was pushed");
        evidence.lines.insert(commit, line);
    }
    let fact =
        |kind: &str, token: &str| Found::default().with(pk::FACT, kind).with(pk::TOKEN, token);
    let parked = fact("parked", token)
        .with(pk::TOPIC, TASKS)
        .with(pk::HANDLER, &format!("{GROUP}/audit"))
        .with(pk::PARTITION, "0")
        .with(pk::OFFSET, "1");
    evidence.parked = vec![fact("claim", "owner"), parked];
    // It is not done in the end, which is I1.
    let mut violated = strictly(&evidence);
    violated.retain(|name| *name != "I1");
    violated
}

#[test]
fn what_is_parked_is_done_once_that_is_known() {
    assert_eq!(parked("owner", &[What::Parking, What::Acked]), [""; 0]);
    // Whoever appended it did not live to see that; another found it.
    assert_eq!(parked("owner", &[What::Parking, What::Assigned]), [""; 0]);
    assert_eq!(parked("owner", &[What::Parking]), ["I4"]);
    assert_eq!(parked("zombie", &[What::Parking, What::Acked]), ["I4"]);
}

#[test]
fn a_map_says_what_was_done() {
    let hash = events_kafka::stable_hash(&format!("{GROUP}/audit"));
    let map = events_runtime::offset_map::encode(0, &[(hash, vec![(1, 2)])]).expect("it is small");
    let mut evidence = clean();
    let line = Line {
        what: What::Committed,
        note: map,
        ..Line::default()
    };
    let begun = place(&evidence, What::Begin, "work", 1);
    evidence.lines.insert(begun, line);
    assert_eq!(strictly(&evidence), ["I4"]);
}

#[test]
fn the_next_owner_finds_the_highest_watermark() {
    let mut evidence = clean();
    push(&mut evidence, What::Committed, "", 2);
    assert_eq!(strictly(&evidence), [""; 0], "the client may mend it");
    push(&mut evidence, What::Assigned, "", 2);
    assert_eq!(strictly(&evidence), ["I4"]);
}

#[test]
fn reactions_are_those_of_attempts() {
    let mut evidence = clean();
    evidence.done.pop();
    assert_eq!(strictly(&evidence), ["I5"]);
    let mut evidence = clean();
    evidence.done.push(evidence.done[1].clone());
    assert_eq!(strictly(&evidence), ["I5"]);
    let mut evidence = clean();
    let stray = Found::default().with(header::CAUSATION_ID, "t9");
    evidence.done.push(stray);
    assert_eq!(strictly(&evidence), ["I5"]);
}

fn letter(evidence: &mut Evidence, handler: &str) {
    let record = evidence.tasks[1].clone();
    let letter = Found {
        key: record.key,
        value: record.value,
        ..Found::default()
    };
    let letter = letter
        .with(dl::TOPIC, TASKS)
        .with(dl::PARTITION, "0")
        .with(dl::OFFSET, "1")
        .with(dl::KIND, "record")
        .with(dl::HANDLER, &format!("{GROUP}/{handler}"));
    evidence.letters.push(letter);
}

#[test]
fn letters_have_their_reasons() {
    let mut evidence = clean();
    letter(&mut evidence, "audit");
    assert_eq!(strictly(&evidence), ["I6"]);
    let mut evidence = clean();
    evidence.tasks[1].value = "{".into();
    evidence.done.pop();
    evidence
        .lines
        .retain(|line| line.offset != 1 || line.handler.is_empty());
    assert!(strictly(&evidence).contains(&"I6"), "no letter");
    for handler in HANDLERS {
        letter(&mut evidence, handler);
    }
    assert_eq!(strictly(&evidence), [""; 0]);
}

#[test]
fn memory_has_a_cap() {
    let mut evidence = clean();
    push(&mut evidence, What::Memory, "", 1 << 20);
    assert_eq!(strictly(&evidence), ["I7"]);
}
