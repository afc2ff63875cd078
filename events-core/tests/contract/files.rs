//! Contract files: what is written is read, and what cannot be read says why.

use std::error::Error as _;

use events_core::contract::{Contract, FieldTokens, Version, file_name, fingerprint};
use serde_json::json;

fn contract() -> Contract {
    let mut contract = Contract::new("OrderPlaced");
    contract.draft(Version {
        version: 1,
        released: false,
        fields: vec![FieldTokens {
            name: "order_id".to_owned(),
            ty: "String".to_owned(),
            required: true,
            default: None,
            upcast_since: None,
        }],
        schema: json!({
            "type": "object",
            "required": ["order_id"],
            "properties": { "order_id": { "type": "string", "description": "Unique." } },
        }),
    });
    contract.release();
    contract
}

fn refused(content: impl AsRef<[u8]>) -> String {
    let error = Contract::read("contracts/OrderPlaced.json", content.as_ref()).unwrap_err();
    let text = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    assert!(text.starts_with("contracts/OrderPlaced.json"), "{text}");
    text
}

#[test]
fn what_is_written_is_read() {
    let contract = contract();
    let text = contract.write();
    let read = Contract::read("contracts/OrderPlaced.json", text.as_bytes()).unwrap();
    assert_eq!(read, contract);
    assert_eq!(read.write(), text);
    // A tool may have put a byte order mark before it.
    let marked = format!("\u{feff}{text}");
    assert_eq!(Contract::read("x", marked.as_bytes()).unwrap(), contract);
}

/// The format is committed in users' repositories: a change here is a new format.
#[test]
fn the_format_is_pinned() {
    let expected = r#"{
  "event": "OrderPlaced",
  "format": 1,
  "versions": [
    {
      "fields": [
        {
          "name": "order_id",
          "required": true,
          "type": "String"
        }
      ],
      "fingerprint": "FINGERPRINT",
      "released": true,
      "schema": {
        "properties": {
          "order_id": {
            "description": "Unique.",
            "type": "string"
          }
        },
        "required": [
          "order_id"
        ],
        "type": "object"
      },
      "version": 1
    }
  ]
}
"#;
    let fingerprint = "6211d0e784c55d6d8b6aed479037dd78";
    assert_eq!(
        contract()
            .write()
            .replace(&contract().versions[0].fingerprint(), "FINGERPRINT"),
        expected
    );
    assert_eq!(contract().versions[0].fingerprint(), fingerprint);
}

#[test]
fn what_cannot_be_read_says_why() {
    let text = contract().write();
    let text = text.as_str();
    assert!(refused([text.as_bytes(), b"\xff"].concat()).contains("not UTF-8"));
    let merged = text.replacen("  \"format\"", "<<<<<<< HEAD\n  \"format\"", 1);
    assert!(refused(merged).contains("merge markers (line 3)"));
    let broken = refused(&text[..text.len() / 2]);
    assert!(
        broken.contains("fetch it anew") && broken.contains("EOF"),
        "{broken}"
    );
    let newer = text.replace("\"format\": 1", "\"format\": 7");
    assert!(refused(newer).contains("has format 7, and this build knows up to 1: update"));
    // A newer format may lack what this one needs.
    assert!(refused("{\"format\": 7}").contains("update events-core"));
    let edited = text.replace("\"type\": \"string\"", "\"type\": \"integer\"");
    assert!(refused(edited).contains("does not fit its fingerprint"));
    let twice = text.replace("\"version\": 1\n", "\"version\": 0\n");
    assert!(refused(twice).contains("versions ascend from 1"));
    assert!(refused("{}").contains("missing field"));
}

#[test]
fn a_draft_changes_until_it_is_released() {
    let mut contract = contract();
    let draft = |version, word: &str| Version {
        version,
        released: false,
        fields: Vec::new(),
        schema: json!({ "type": "object", "properties": { word: true } }),
    };
    contract.draft(draft(2, "a"));
    contract.draft(draft(2, "b"));
    assert_eq!(contract.version(2), Some(&draft(2, "b")));
    contract.draft(draft(3, "c"));
    assert_eq!(
        contract.version(2),
        None,
        "nobody reads a draft that was given up"
    );
    assert!(contract.release() && !contract.release());
    contract.draft(draft(3, "d"));
    assert_eq!(contract.version(3).unwrap().schema, draft(3, "c").schema);
    assert!(
        contract.changed_without_a_bump(&draft(3, "d"))
            && !contract.changed_without_a_bump(&draft(3, "c"))
    );
}

#[test]
fn words_for_people_are_not_the_contract() {
    let plain = json!({ "type": ["string", "null"], "required": ["a", "b"], "properties": { "title": true } });
    let told = json!({
        "properties": { "title": true },
        "title": "Order", "description": "An order.", "$schema": "x",
        "required": ["b", "a"], "type": ["null", "string"],
    });
    assert_eq!(fingerprint(&plain), fingerprint(&told));
    // A field may be called `title`.
    let other = json!({ "type": ["string", "null"], "required": ["a", "b"], "properties": {} });
    assert_ne!(fingerprint(&plain), fingerprint(&other));
    let default = json!({ "default": { "title": 1 } });
    assert_ne!(
        fingerprint(&default),
        fingerprint(&json!({ "default": {} }))
    );
}

#[test]
fn every_name_has_a_file_of_its_own() {
    for (name, file) in [
        ("OrderPlaced", "OrderPlaced.json"),
        ("shop.order-placed_v1", "shop.order-placed_v1.json"),
        ("../order", "%2E.%2Forder.json"),
        ("a%2Fb", "a%252Fb.json"),
        ("größe", "gr%C3%B6%C3%9Fe.json"),
    ] {
        assert_eq!(file_name(name), file);
    }
}
