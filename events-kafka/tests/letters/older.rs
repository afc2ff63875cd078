//! Letters of an earlier version, which upcasters could not bring to the present one.

use events_kafka::{Result, event, handler, payload, upcast};
use events_testkit::eventually;
use rdkafka::message::OwnedHeaders;
use serde_json::{Value, json};

use crate::others::{with, write_record};
use crate::shop::{self, Answer};

/// Somebody moved.
#[event(topic = "letters-moves", key = who, version = 2)]
struct Moved {
    who: String,
    #[event(since = 2, upcast)]
    door: u32,
}

#[payload]
struct MovedV1 {
    who: String,
    address: String,
}

#[upcast(from = 1)]
fn with_a_door(old: MovedV1) -> Result<Moved> {
    assert_ne!(old.address, "nowhere", "no house stands there");
    let number = old.address.rsplit(' ').next().unwrap_or_default();
    let door = number.parse().map_err(|error| {
        events_kafka::Error::new(error).context(format!("`{number}` is no door"))
    })?;
    Ok(Moved { who: old.who, door })
}

mod moving {
    use super::*;

    events_kafka::service!("letters-moving");

    #[handler(retry(attempts = 1, backoff = "1ms..1ms"), park = "off")]
    async fn greet(moved: Moved) {
        let _ = (moved.who, moved.door);
    }
}

fn at(address: &str, words: &[&str], editor: Option<&str>) -> Answer {
    let mut command = shop::command(address, words);
    command.env(shop::SERVICE, "moving");
    command.envs(editor.map(|editor| ("EDITOR", editor)));
    shop::answer(command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_of_an_earlier_version_are_told_as_their_handler_would_get_them() {
    let letters = "letters-moving.dead-letters";
    shop::topics(&[
        "letters-moves",
        letters,
        "letters-moving.parked.letters-moves",
    ])
    .await;
    let service = shop::start("letters-moving", std::sync::Arc::new(())).await;
    let address = service.address().to_owned();
    for (who, to) in [("ann", "Lane x"), ("bob", "nowhere"), ("cyd", "Lane 3")] {
        let headers = [
            ("ce_id", who),
            ("ce_source", "elsewhere"),
            ("ce_type", "Moved"),
            ("ce_eventversion", "1"),
        ];
        let headers = headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, (key, value)| {
                with(headers, key, value.as_bytes())
            });
        let value = json!({ "who": who, "address": to }).to_string();
        write_record(&address, "letters-moves", (who, &value), headers);
    }
    eventually("two letters", async || {
        let handler = &service.status().handlers[0];
        handler.dead_lettered == 2 && handler.handled == 1
    })
    .await;
    service.drain().await;
    let at = |words: &[&str], editor: Option<&str>| at(&address, words, editor);

    let id = |who: &str| {
        let words = ["dead-letters", "list", "--each", "--json", "--key", who];
        let listed = at(&words, None).json();
        let letter = listed["letters"][0]["id"].as_str();
        letter.unwrap_or_else(|| panic!("{listed}")).to_owned()
    };
    let (ann, bob) = (id("ann"), id("bob"));
    let shown = at(&["dead-letters", "show", &ann], None).out;
    for text in [
        "from version 1 to version 2",
        "  caused by  `x` is no door",
        "  caused by  invalid digit",
        "it does not fit its schema:",
    ] {
        assert!(shown.contains(text), "{text}:\n{shown}");
    }
    let shown = at(&["dead-letters", "show", &bob], None);
    assert_eq!(shown.status, 0, "{}", shown.err);
    assert!(
        shown.out.contains("an upcaster of Moved from version 1: ")
            && shown.out.contains("no house stands there"),
        "{}",
        shown.out
    );

    // An edited payload keeps the letter's version.
    let script = std::env::temp_dir().join(format!("older-{}-editor.sh", std::process::id()));
    let edit = |payload: &str| {
        std::fs::write(&script, format!("echo '{payload}' > \"$1\"\n")).unwrap();
        let editor = format!("sh {}", script.display());
        at(&["dead-letters", "edit", &ann], Some(&editor))
    };
    let wrong = edit(r#"{"who":"ann","door":4}"#);
    assert!(
        wrong.status == 1 && wrong.err.contains("missing field `address`"),
        "{}",
        wrong.err
    );
    let moved = edit(r#"{"who":"zoe","address":"Lane 4"}"#);
    assert!(
        moved.status == 1 && moved.err.contains("instead of `ann`"),
        "{}",
        moved.err
    );
    let done = edit(r#"{"who":"ann","address":"Lane 4"}"#);
    assert!(done.out.contains("is edited"), "{}{}", done.out, done.err);
    std::fs::remove_file(&script).unwrap();
    let shown = at(&["dead-letters", "show", &ann], None).out;
    assert!(
        shown.contains("payload, as upcasters make it of version 1")
            && shown.contains("\"door\": 4"),
        "{shown}"
    );
    let shown = at(&["dead-letters", "show", &ann, "--json"], None).json();
    assert_eq!(
        shown["payload"],
        json!({ "who": "ann", "address": "Lane 4" })
    );
    assert_eq!(shown["current"], json!({ "who": "ann", "door": 4 }));
    assert_eq!(shown["complaints"], json!([]));

    // So does one that comes back from a file.
    let exported = at(&["dead-letters", "export", "--key", "bob"], None).out;
    let file = std::env::temp_dir().join(format!("older-{}.jsonl", std::process::id()));
    let import = |payload: &str| {
        let mut line: Value = serde_json::from_str(&exported).unwrap();
        line["value"] = payload.into();
        std::fs::write(&file, line.to_string()).unwrap();
        let words = ["dead-letters", "import", file.to_str().unwrap()];
        at(&words, None)
    };
    let wrong = import(r#"{"who":"bob","door":4}"#);
    assert!(
        wrong.status == 1 && wrong.err.contains("missing field `address`"),
        "{}",
        wrong.err
    );
    let done = import(r#"{"who":"bob","address":"Lane 5"}"#);
    assert_eq!(
        done.out, "0 new, 1 edited, 0 open already and left as they are",
        "{}",
        done.err
    );
    std::fs::remove_file(&file).unwrap();
}
