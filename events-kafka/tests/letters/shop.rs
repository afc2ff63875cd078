//! The service that gives records up, and its command line as a process of its own.

use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use events_kafka::{
    Dialects, Embedded, Handle, Meta, Park, Result, Runtime, Services, State, Terminal, event,
    handler,
};
use serde_json::Value;

use crate::support::{client, real, topic};

/// An order was accepted.
#[event(topic = "letters-orders", key = order_id)]
pub(crate) struct OrderPlaced {
    pub(crate) order_id: String,
    pub(crate) number: u32,
}

/// Whether there is an address for every order.
#[derive(Default)]
pub(crate) struct Addresses(pub(crate) AtomicBool);

mod shipping {
    use super::*;

    events_kafka::service!("letters-shipping");

    #[handler(
        retry(attempts = 1, backoff = "1ms..1ms"),
        park(backoff = "1h..1h", max_age = "2h")
    )]
    async fn ship(order: OrderPlaced, addresses: State<Addresses>) -> Result<()> {
        if order.order_id.starts_with("good") || addresses.0.load(Ordering::SeqCst) {
            return Ok(());
        }
        let cause = std::io::Error::other("not found");
        let error = events_kafka::Error::new(cause);
        Err(Terminal::new(error.context(format!("order {} has no address", order.number))).into())
    }
}

/// A bill is to be sent.
#[event(topic = "letters-bills", key = customer)]
pub(crate) struct BillDue {
    pub(crate) customer: String,
    pub(crate) number: u32,
}

/// What was sent, once there is a printer.
#[derive(Default)]
pub(crate) struct Printer {
    pub(crate) works: AtomicBool,
    pub(crate) sent: Mutex<Vec<(u32, String)>>,
}

mod billing {
    use super::*;

    events_kafka::service!("letters-billing");

    #[handler(retry(attempts = 1, backoff = "1ms..1ms"))]
    async fn bill(bill: BillDue, meta: Meta, printer: State<Printer>) -> Result<()> {
        if !printer.works.load(Ordering::SeqCst) {
            return Err(Terminal::msg("no printer").into());
        }
        printer.sent.lock().unwrap().push((bill.number, meta.id));
        Ok(())
    }
}

pub(crate) const TOPIC: &str = "letters-orders";
pub(crate) const LETTERS: &str = "letters-shipping.dead-letters";
pub(crate) const PARKED: &str = "letters-shipping.parked.letters-orders";

/// Makes topics with two partitions. On a real cluster the service makes those that only it writes.
pub(crate) async fn topics(names: &[&'static str]) {
    let own = |name: &str| name.ends_with(".dead-letters") || name.contains(".parked.");
    for name in names.iter().filter(|name| !own(name)) {
        topic(name, 2).await;
    }
    if !real() {
        let cluster = Embedded::shared().unwrap();
        cluster.create_topics(names.iter().copied(), 2).unwrap();
    }
}

fn runtime(service: &str) -> Runtime {
    Runtime::new(service).configure(|settings| {
        settings.park = Some(Park::DEFAULT);
        let others = service == "letters-billing";
        settings.dead_letter_headers = Dialects {
            spring: others,
            connect: others,
        };
    })
}

pub(crate) async fn start<S: Send + Sync + 'static>(service: &str, state: Arc<S>) -> Handle {
    let runtime = runtime(service).client(client()).park_on_embedded();
    let runtime = runtime.shared_state(state).ensure_topics(2, 1);
    runtime.spawn().await.unwrap()
}

/// What the process prints before anything of its own: what stands above is the test runner's.
const MARK: &str = "-- letters --";
const ARGUMENTS: &str = "LETTERS_ARGUMENTS";
pub(crate) const SERVICE: &str = "LETTERS_SERVICE";

/// Not a test of its own: the process that the others start.
#[test]
fn command_line() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else {
        return;
    };
    println!("{MARK}");
    let runtime = match std::env::var(SERVICE).as_deref() {
        Ok("billing") => runtime("letters-billing").state(Printer::default()),
        Ok("skipping") => crate::skipped::runtime().state(crate::skipped::Weighed::default()),
        Ok("moving") => runtime("letters-moving"),
        _ => runtime("letters-shipping").state(Addresses::default()),
    };
    let services = Services::new().add(runtime);
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let ended = tokio.block_on(services.run_from(arguments.split('\u{1f}').map(str::to_owned)));
    let status = ended.map_or_else(
        |error| {
            eprintln!("Error: {error:?}");
            1
        },
        |()| 0,
    );
    std::process::exit(status);
}

pub(crate) struct Answer {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Answer {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        let own = out.split_once(MARK).map(|(_, own)| own.trim().to_owned());
        Self {
            status: output.status.code().unwrap(),
            out: own.unwrap_or_else(|| panic!("no mark in {out}{err}")),
            err,
        }
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 0, "{}{}", self.out, self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

pub(crate) fn command(address: &str, words: &[&str]) -> Command {
    let words: Vec<_> = ["letters"].iter().chain(words).copied().collect();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "shop::command_line",
            "--exact",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(ARGUMENTS, words.join("\u{1f}"))
        .env("KAFKA_BOOTSTRAP_SERVERS", address)
        .env("USER", "ann")
        .env_remove("RUST_LOG")
        .env_remove("VISUAL")
        .env_remove("EDITOR")
        .stdin(Stdio::null());
    command
}

/// What the command says. It must not be called on the only thread of a tokio runtime that the service needs.
pub(crate) fn says(address: &str, words: &[&str]) -> Answer {
    Answer::of(&command(address, words).output().unwrap())
}

pub(crate) fn answer(mut command: Command) -> Answer {
    Answer::of(&command.output().unwrap())
}

/// The same with standard input.
pub(crate) fn told(address: &str, words: &[&str], input: &str) -> Answer {
    use std::io::Write;
    let mut command = command(address, words);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    Answer::of(&child.wait_with_output().unwrap())
}
