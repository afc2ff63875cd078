//! `manifest --published` and `--withdraw`, and what `check --broker` prints.

use std::process::{Command, Output};

use events_kafka::{Registry, Runtime, Services};
use serde_json::Value;

use crate::shop::{DEPOT, ONE_AT_A_TIME, address, imitation, names, publish, run_once, runtime};
use crate::support::real;

const ARGUMENTS: &str = "DEPOT_ARGUMENTS";
const MARK: &str = "-- depot --";

/// Not a test of its own: the process that the other starts.
#[tokio::test]
async fn depot() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else {
        return;
    };
    println!("{MARK}");
    let depot = Runtime::with_registry(DEPOT, Registry::linked()).ensure_topics(2, 1);
    let words = ["depot"].into_iter().chain(arguments.split(' '));
    let done = Services::new().add(depot).run_from(words).await;
    if let Err(error) = done {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
    std::process::exit(0);
}

fn says(arguments: &str) -> (Option<i32>, String, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["command_line::depot", "--exact", "--nocapture"])
        .env(ARGUMENTS, arguments)
        .env("KAFKA_BOOTSTRAP_SERVERS", address());
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let (out, err) = (
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    );
    let out = out.split_once(MARK).expect("it has begun").1;
    (status.code(), out.trim().to_owned(), err)
}

#[tokio::test]
async fn what_is_deployed_is_listed_and_let_go_of() {
    if !real() {
        return;
    }
    let _alone = ONE_AT_A_TIME.lock().await;
    run_once(runtime(DEPOT)).await;
    let left = imitation(&runtime(DEPOT), "manifests-left", |manifest| {
        manifest.handlers[0].takes = vec!["manifests.CrateSold".to_owned()];
    });
    publish("manifests-left", Some(&left));

    let services = || {
        let (status, out, err) = says("manifest --published");
        assert_eq!(status, Some(0), "{err}");
        names(&serde_json::from_str(&out).unwrap(), "service")
    };
    let listed = services();
    for service in [DEPOT, "manifests-left"] {
        assert!(listed.iter().any(|known| known == service), "{listed:?}");
    }
    let (status, out, _) = says("check --broker --json");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (status, &report["faults"]),
        (Some(0), &Value::Array(Vec::new())),
        "{out}"
    );

    let (status, _, err) = says("manifest --withdraw manifests-left");
    assert!(status == Some(1) && err.contains("say --yes"), "{err}");
    let (status, out, err) = says("manifest --withdraw manifests-left --yes");
    assert!(
        status == Some(0) && out.contains("`manifests-left` is not among"),
        "{out}{err}"
    );
    assert!(!services().iter().any(|known| known == "manifests-left"));
    let (status, _, err) = says("manifest --withdraw manifests-left --yes");
    assert!(
        status == Some(1)
            && err.contains("no manifest of `manifests-left`; it has")
            && err.contains(DEPOT),
        "{err}"
    );
}
