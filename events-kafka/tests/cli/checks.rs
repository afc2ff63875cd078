//! `check`: faults, warnings and rights.

use events_kafka::{Registry, Runtime, Services};

use super::{Answer, POOR, Till, command, shop_says};

#[test]
fn check_says_all_faults_and_fails() {
    let good = shop_says(&["check"]);
    let mut lines = good.out.lines();
    assert_eq!(
        (good.status, lines.next()),
        (0, Some("payments, audit: no faults"))
    );
    // How many partitions there are is not known without a broker.
    let memory: Vec<_> = lines.collect();
    for (line, service) in memory.iter().zip(["payments", "audit"]) {
        let begin = format!("memory: {service}: with 1 lane records take at most");
        assert!(line.starts_with(&begin), "{line}");
    }
    assert_eq!(memory.len(), 2);
    let bad = Answer::of(
        &command(&["check", "--json"])
            .env(POOR, "1")
            .env("KAFKA_NO_SUCH", "1")
            .output()
            .unwrap(),
    );
    assert_eq!(bad.status, 1);
    let faults = bad.json()["faults"].as_array().unwrap().clone();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults
            .iter()
            .any(|fault| fault["message"].as_str().unwrap().contains("capture"))
    );
    assert!(
        faults
            .iter()
            .any(|fault| fault["message"].as_str().unwrap().contains("KAFKA_NO_SUCH"))
    );
    assert!(bad.err.contains("2 faults"));
    let run = Answer::of(&command(&["run"]).env(POOR, "1").output().unwrap());
    assert_eq!(run.status, 1);
    assert!(
        run.err.contains("Till") && run.err.contains("remedy"),
        "{}",
        run.err
    );
}

#[test]
fn check_prints_the_least_rights() {
    let answer = shop_says(&["check", "--acls", "--principal", "User:shop"]);
    assert_eq!(answer.status, 0, "{}", answer.err);
    let line = |words: &[&str]| {
        let mut lines = answer.out.lines();
        assert!(
            lines.any(|line| words.iter().all(|word| line.contains(word))),
            "{words:?}: {}",
            answer.out
        );
    };
    line(&[
        "--allow-principal User:shop",
        "--operation Read --operation DescribeConfigs",
        "--topic cli-orders",
    ]);
    line(&["--operation Write", "--topic payments.dead-letters"]);
    line(&["--operation Read", "--group audit-log"]);
    let rights = shop_says(&["check", "--acls", "--json"]).json();
    let payments = &rights[0];
    assert_eq!(payments["principal"], "User:payments");
    let written = payments["rights"].as_array().unwrap().iter();
    let written: Vec<_> = written
        .filter(|right| {
            right["operations"]
                .as_array()
                .unwrap()
                .contains(&"Write".into())
        })
        .map(|right| right["name"].as_str().unwrap())
        .collect();
    let expected = [
        "cli-payments",
        "payments.dead-letters",
        "payments.parked.cli-orders",
    ];
    assert_eq!(written, expected);
}

#[test]
fn check_asks_no_embedded_cluster_for_topics() {
    let answer = shop_says(&["check", "--broker"]);
    assert_eq!(answer.status, 1);
    assert!(
        answer.out.contains("KAFKA_BOOTSTRAP_SERVERS"),
        "{}",
        answer.out
    );
}

#[test]
fn services_that_would_share_a_handler_are_a_fault() {
    let unclaimed = Registry {
        claims: Vec::new(),
        ..Registry::linked()
    };
    let service = |name| Runtime::with_registry(name, unclaimed.clone()).state(Till);
    let services = Services::new().add(service("hotel")).add(service("bar"));
    let faults = services.check().unwrap_err().faults;
    let [fault] = &faults[..] else {
        panic!("{faults:?}");
    };
    assert_eq!(fault.code, "shared-handlers");
    assert!(
        fault.message.contains("bar and hotel") && fault.message.contains("and 1 more"),
        "{fault}"
    );
    assert!(fault.remedy.contains("service!(\"bar\")"), "{fault}");
}
