//! The endpoint over real HTTP, before services that are made up.

mod access;
mod made;

use std::sync::{Arc, Mutex};

use events_runtime::HoldStatus;
use events_status::{get, parse_address, post, register};
use serde_json::Value;

use crate::made::Made;

/// What is logged with who wanted it.
#[derive(Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(
            &mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
                if field.name() == "by" {
                    self.0.lock().unwrap().push(format!("{value:?}"));
                }
            },
        );
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn services_of_a_process_share_one_endpoint_until_the_last_has_left() {
    let address = parse_address("127.0.0.1:0").unwrap();
    let well = register(address, Arc::new(Made::up("well"))).unwrap();
    let at = well.address();
    let sick = Made {
        unhealthy: Some("1 blocking attempts overran their time and still run"),
        restart_helps: true,
        unready: vec!["draining".to_owned()],
        ..Made::up("sick")
    };
    assert_eq!(get(at, "/healthz").await.unwrap().status, 200);
    assert_eq!(get(at, "/readyz").await.unwrap().status, 200);

    let other = register(address, Arc::new(sick)).unwrap();
    assert_eq!(other.address(), at);
    let health = get(at, "/healthz").await.unwrap();
    assert_eq!(
        (health.status, health.body.as_str()),
        (
            503,
            "sick: orders/3 of group shipping: 1 blocking attempts overran their time and still run\n"
        )
    );
    let ready = get(at, "/readyz").await.unwrap();
    assert_eq!(
        (ready.status, ready.body.as_str()),
        (503, "sick: draining\n")
    );
    let status = get(at, "/status").await.unwrap();
    let status: Vec<Value> = serde_json::from_str(&status.body).unwrap();
    let names: Vec<_> = status.iter().map(|one| one["service"].as_str()).collect();
    assert_eq!(names, [Some("well"), Some("sick")]);
    assert_eq!(status[0]["lanes"][0]["partition"]["partition"], 3);

    drop(other);
    assert_eq!(get(at, "/healthz").await.unwrap().status, 200);
    assert_eq!(get(at, "/nothing").await.unwrap().status, 404);
    drop(well);
    let gone = get(at, "/healthz").await.unwrap_err().to_string();
    assert!(gone.contains("--status-address"), "{gone}");
    // The port is free again.
    drop(register(at, Arc::new(Made::up("anew"))).unwrap());
}

#[tokio::test]
async fn liveness_does_not_fail_where_a_restart_does_not_help() {
    let address = parse_address("127.0.0.3:0").unwrap();
    let held = Made {
        unhealthy: Some("the committed offset is not in the log"),
        ..Made::up("held")
    };
    let held = register(address, Arc::new(held)).unwrap();
    let health = get(held.address(), "/healthz").await.unwrap();
    assert_eq!(
        (health.status, health.body.as_str()),
        (
            200,
            "alive; unhealthy where a restart does not help:\n\
             held: orders/3 of group shipping: the committed offset is not in the log\n"
        )
    );
    assert_eq!(get(held.address(), "/readyz").await.unwrap().status, 200);
}

#[tokio::test]
async fn an_address_that_is_taken_is_an_error_that_names_the_remedy() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = register(taken.local_addr().unwrap(), Arc::new(Made::up("late"))).unwrap_err();
    assert!(
        error.to_string().contains("EVENTS_STATUS_ADDRESS"),
        "{error}"
    );
}

#[tokio::test]
async fn a_handler_is_paused_and_resumed() {
    let log = Log::default();
    let lines = Arc::clone(&log.0);
    tracing::subscriber::set_global_default(log).unwrap();
    let running = Arc::new(Made::up("shop"));
    // An address of its own, or the other test's services would be there too.
    let address = parse_address("127.0.0.2:0").unwrap();
    let registration = register(address, Arc::clone(&running) as _).unwrap();
    let at = registration.address();
    let told = || running.told.lock().unwrap().clone();
    assert_eq!(
        post(
            at,
            "/handlers/shop/ship/pause",
            "jo: the shelf is repaired",
            None
        )
        .await
        .unwrap()
        .status,
        200
    );
    assert_eq!(told(), ["ship"]);
    let said = lines.lock().unwrap().join("\n");
    assert!(said.contains("jo: the shelf is repaired"), "{said}");
    assert_eq!(
        post(
            at,
            "/handlers/shop/ship/resume",
            "jo: the shelf is repaired",
            None
        )
        .await
        .unwrap()
        .status,
        200
    );
    assert_eq!(told(), [""; 0]);
    let unknown = post(
        at,
        "/handlers/shop/shp/pause",
        "jo: the shelf is repaired",
        None,
    )
    .await
    .unwrap();
    assert_eq!(
        (unknown.status, unknown.body.as_str()),
        (404, "no handler `shp`\n")
    );
    let elsewhere = post(
        at,
        "/handlers/shp/ship/pause",
        "jo: the shelf is repaired",
        None,
    )
    .await
    .unwrap();
    assert!(
        elsewhere.status == 404 && elsewhere.body.contains("shop does"),
        "{elsewhere:?}"
    );
    assert_eq!(
        post(
            at,
            "/handlers/shop/pinned/pause",
            "jo: the shelf is repaired",
            None
        )
        .await
        .unwrap()
        .status,
        501
    );
    // A link does nothing, and neither does a form of a web page.
    assert_eq!(
        get(at, "/handlers/shop/ship/pause").await.unwrap().status,
        405
    );
    let form =
        "POST /handlers/shop/ship/pause HTTP/1.0\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n";
    let answer = tokio::task::spawn_blocking(move || {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(at).unwrap();
        stream.write_all(form.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    });
    assert!(answer.await.unwrap().starts_with("HTTP/1.0 415"));
    assert_eq!(told(), [""; 0]);
}

#[tokio::test]
async fn a_paused_handler_is_visible_in_health() {
    let hold = |handler: &str, reason: &str| HoldStatus {
        handler: handler.to_owned(),
        reason: reason.to_owned(),
        age_ms: 5,
    };
    let held = Made {
        holds: vec![
            hold("shop/ship", "paused"),
            hold("shop/bill", "unavailable: key \u{1b}[31m\nforged"),
        ],
        unhealthy: Some("key \u{1b}[31m\nforged"),
        ..Made::up("shop")
    };
    let open = register(parse_address("127.0.0.7:0").unwrap(), Arc::new(held)).unwrap();
    let health = get(open.address(), "/healthz").await.unwrap();
    assert_eq!(
        (health.status, health.body.as_str()),
        (
            200,
            "alive; unhealthy where a restart does not help:\n\
             shop: orders/3 of group shipping: key \\u{1b}[31m\\nforged\n\
             paused until somebody resumes it:\n\
             shop: the handler shop/ship is paused\n"
        )
    );
}
