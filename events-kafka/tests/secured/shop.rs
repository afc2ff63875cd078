//! The service, here or as a process of its own.

use std::env;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use events_kafka::{Classify, ClientOptions, Error, Result, Runtime, Services, event, handler};
use serde_json::Value;

use crate::broker::{properties, secrets};
use crate::right::Right;

/// An order was accepted.
#[event(topic = "secured-orders", key = order_id)]
pub(crate) struct OrderPlaced {
    pub(crate) order_id: String,
    pub(crate) cents: u64,
}

/// A payment was taken.
#[event(topic = "secured-payments", key = order_id)]
pub(crate) struct PaymentTaken {
    order_id: String,
}

pub(crate) const SERVICE: &str = "secured-shop";
pub(crate) const ORDERS: &str = "secured-orders";
pub(crate) const PAYMENTS: &str = "secured-payments";
pub(crate) const DEAD_LETTERS: &str = "secured-shop.dead-letters";
pub(crate) const PARKED: &str = "secured-shop.parked.secured-orders";
pub(crate) const TOPICS: [&str; 4] = [ORDERS, PAYMENTS, DEAD_LETTERS, PARKED];

mod till {
    use super::*;

    events_kafka::service!("secured-shop");

    /// Attempts at orders of one cent, which work from the third on: after they were parked.
    static CENTS: AtomicU32 = AtomicU32::new(0);

    #[handler(
        retry(attempts = 2, backoff = "10ms..10ms"),
        park(backoff = "100ms..1s")
    )]
    async fn take_payment(order: OrderPlaced) -> Result<PaymentTaken> {
        if order.cents == 0 {
            return Err(Error::msg("nothing to pay").terminal());
        }
        if order.cents == 1 && CENTS.fetch_add(1, Ordering::Relaxed) < 2 {
            return Err(Error::msg("the till is closed"));
        }
        Ok(PaymentTaken {
            order_id: order.order_id,
        })
    }
}

pub(crate) fn runtime(client: ClientOptions) -> Runtime {
    Runtime::new(SERVICE).client(client)
}

const ARGUMENTS: &str = "SECURED_ARGUMENTS";
/// The service, if it is not the shop.
pub(crate) const NAME: &str = "SECURED_NAME";
const ENSURES: &str = "SECURED_ENSURES";
/// What stands above it is the test runner's.
const MARK: &str = "-- shop --";

/// Not a test of its own: the process that the others start.
#[test]
fn process() {
    let Ok(arguments) = env::var(ARGUMENTS) else {
        return;
    };
    println!("{MARK}");
    let service = env::var(NAME).unwrap_or_else(|_| SERVICE.to_owned());
    let mut shop = Runtime::new(service);
    if env::var_os(ENSURES).is_some() {
        shop = shop.ensure_topics(1, 1);
    }
    let words = arguments.split(' ').map(str::to_owned);
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let ended = tokio.block_on(Services::new().add(shop).run_from(words));
    if let Err(error) = &ended {
        eprintln!("Error: {error:?}");
    }
    std::process::exit(ended.is_err().into());
}

/// The service as a process, with all that it says.
pub(crate) struct Answer {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the service as the user `shop` with these arguments until it ends.
pub(crate) fn says(arguments: &str, more: &[(&str, &str)]) -> Answer {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "shop::process",
            "--exact",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(ARGUMENTS, format!("shop {arguments}"))
        // All that it could say.
        .env("RUST_LOG", "debug");
    for (name, value) in properties("shop") {
        let name = format!("KAFKA_{}", name.to_uppercase().replace('.', "_"));
        command.env(name, value);
    }
    let output = command.envs(more.iter().copied()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    for secret in secrets() {
        assert!(
            !out.contains(&secret) && !err.contains(&secret),
            "{out}\n{err}"
        );
    }
    let (_, own) = out
        .split_once(MARK)
        .unwrap_or_else(|| panic!("no mark: {out}\n{err}"));
    Answer {
        status: output.status.code().unwrap_or(-1),
        out: own.trim().to_owned(),
        err,
    }
}

/// The rights that the service says it needs.
pub(crate) fn rights(ensures: bool) -> Vec<Right> {
    let more: &[_] = if ensures { &[(ENSURES, "1")] } else { &[] };
    let answer = says("check --acls --json", more);
    let listed: Value = serde_json::from_str(&answer.out)
        .unwrap_or_else(|error| panic!("{error}: {}\n{}", answer.out, answer.err));
    assert_eq!(listed[0]["principal"], crate::broker::PRINCIPAL);
    Right::listed(&listed[0])
}

/// Starts the service and makes its topics.
pub(crate) fn run_and_ensure() -> Answer {
    says("run", &[(ENSURES, "1")])
}

/// One test at a time: they share the user's rights.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
