//! The table of rooms, as data. A change here is a change of the architecture: `ARCHITECTURE.md` says the same.

/// A library of the workspace and what it may name.
pub(crate) struct Room {
    pub(crate) name: &'static str,
    /// The only rooms that it may depend on.
    pub(crate) rooms: &'static [&'static str],
    /// Third-party `[dependencies]` lines, each with its reason.
    pub(crate) crates: &'static [(&'static str, &'static str)],
    /// Crates that it must not reach, not even through others.
    pub(crate) never: &'static [&'static [&'static str]],
    /// Words that its sources must not contain, each with what it would break.
    pub(crate) words: &'static [(&'static str, &'static str)],
}

/// Where the packages lie that use the rooms; no room may use one of them.
pub(crate) const USERS: &[&str] = &["benches", "examples", "tests", "xtask"];

const ASYNC: &[&str] = &["tokio", "async-std", "smol"];
const KAFKA: &[&str] = &["rdkafka", "rdkafka-sys"];
const SQL: &[&str] = &[
    "sqlx",
    "sqlx-core",
    "rusqlite",
    "libsqlite3-sys",
    "tokio-postgres",
];
const HTTP: &[&str] = &[
    "http",
    "hyper",
    "h2",
    "reqwest",
    "ureq",
    "curl",
    "axum",
    "tonic",
    "tiny_http",
];

/// What a contract crate must not reach: it compiles in seconds and needs no C compiler.
pub(crate) const NOT_IN_CONTRACTS: &[&[&str]] = &[ASYNC, KAFKA, SQL, HTTP];

pub(crate) const ROOMS: &[Room] = &[
    Room {
        name: "events-macros",
        rooms: &[],
        crates: &[
            (
                "proc-macro-crate",
                "finds events-core under whatever name the user's manifest gives it",
            ),
            (
                "proc-macro2",
                "tokens that unit tests can make outside the compiler",
            ),
            ("quote", "writes the expansion"),
            ("serde_json", "reads the contract lock at compile time"),
            ("syn", "parses the user's item"),
        ],
        never: &[ASYNC, KAFKA, SQL, HTTP],
        words: &[
            (
                "std::net",
                "a macro that asks the network makes builds irreproducible",
            ),
            (
                "fs::write",
                "a macro never writes: a command writes the lock",
            ),
            (
                "fs::create_dir",
                "a macro never writes: a command writes the lock",
            ),
            (
                "File::create",
                "a macro never writes: a command writes the lock",
            ),
            (
                "OpenOptions",
                "a macro never writes: a command writes the lock",
            ),
        ],
    },
    Room {
        name: "events-core",
        rooms: &["events-macros"],
        crates: &[
            (
                "anyhow",
                "the error a handler returns carries the chain that a dead letter keeps",
            ),
            (
                "base64",
                "reads `data_base64` of CloudEvents in structured mode",
            ),
            (
                "chrono",
                "dates and times as fields of events, with serde; off by default",
            ),
            (
                "humantime",
                "writes the RFC 3339 instants of CloudEvents' `ce_time`",
            ),
            (
                "inventory",
                "collects handlers and events across crates without a list",
            ),
            (
                "rust_decimal",
                "decimals as fields of events, with serde; off by default",
            ),
            ("schemars", "derives the JSON Schema that contracts compare"),
            ("serde", "the payload's encoding, which the macros derive"),
            ("serde_json", "the default codec, schemas and manifests"),
            (
                "thiserror",
                "writes the crate's error type without boilerplate",
            ),
            (
                "time",
                "instants as fields of events, written as RFC 3339; off by default",
            ),
            ("uuid", "UUIDv5 for emissions, UUIDv7 for edge events"),
        ],
        never: &[ASYNC, KAFKA, SQL, HTTP],
        words: &[
            (
                "env::var",
                "the vocabulary reads no environment: a contract crate must mean the same everywhere",
            ),
            (
                "std::env::",
                "the vocabulary reads no environment: a contract crate must mean the same everywhere",
            ),
        ],
    },
    Room {
        name: "events-runtime",
        rooms: &["events-core"],
        crates: &[
            ("ahash", "hashes keys to slots fast enough for the hot path"),
            ("anyhow", "the error that a failed attempt carries"),
            (
                "base64",
                "the offset map travels as ASCII in the commit's metadata",
            ),
            (
                "fastrand",
                "jitter of the retry backoff, and the dedupe window's seed",
            ),
            (
                "foldhash",
                "hashes keys to slots fast enough for the hot path",
            ),
            (
                "hashbrown",
                "raw-entry lookups in the dedupe window without allocating a key",
            ),
            (
                "metrics",
                "counters that users export with whatever they have",
            ),
            ("serde", "status and shutdown reports as data"),
            ("serde_json", "status and shutdown reports as JSON"),
            (
                "thiserror",
                "writes the crate's error type without boilerplate",
            ),
            ("tokio", "tasks, time and channels of the engine"),
            (
                "tracing",
                "spans and events that cost nothing while nobody listens",
            ),
            (
                "xxhash-rust",
                "digests of event ids, so that a dedupe window needs no copy of them",
            ),
        ],
        never: &[KAFKA, SQL, HTTP],
        words: &[],
    },
    // That this room holds no retry or dedupe policy is for a reviewer to see; no list of crates can say it.
    Room {
        name: "events-kafka",
        rooms: &[
            "events-core",
            "events-docs",
            "events-locks",
            "events-runtime",
            "events-status",
        ],
        crates: &[
            ("anyhow", "what `run_from_args` returns to `main`"),
            (
                "base64",
                "bytes of exported dead letters that are not UTF-8",
            ),
            ("clap", "the subcommands of `run_from_args`"),
            ("comfy-table", "tables of handlers and topics on a terminal"),
            (
                "humantime",
                "times that people give to the command line, and ages shown to them",
            ),
            ("indicatif", "the bar while a group catches up"),
            (
                "rdkafka",
                "the Kafka client; this is the only room that names it",
            ),
            (
                "rdkafka-sys",
                "the C calls that rdkafka does not wrap, in `ffi.rs` and `ffi/`",
            ),
            ("serde", "output of the subcommands as data"),
            ("serde_json", "`--json` of the subcommands"),
            (
                "thiserror",
                "writes the crate's error type without boilerplate",
            ),
            ("tokio", "signals and the blocking pool"),
            (
                "tracing",
                "log lines about rebalances, topics and the client",
            ),
            (
                "tracing-subscriber",
                "logs for a service that has not set up its own",
            ),
        ],
        never: &[SQL],
        words: &[],
    },
    Room {
        name: "events-docs",
        rooms: &["events-core"],
        crates: &[
            (
                "serde_json",
                "the page's data, AsyncAPI and the schemas in both",
            ),
            (
                "uuid",
                "the page's nonce, which is a function of the page's data",
            ),
        ],
        never: &[ASYNC, KAFKA, SQL, HTTP],
        words: &[],
    },
    Room {
        name: "events-locks",
        rooms: &["events-core"],
        crates: &[
            (
                "cargo_metadata",
                "says where the crates lie that declare events",
            ),
            (
                "clap",
                "the words of `contracts`, the same in every program",
            ),
            ("serde_json", "`--json` of the commands"),
            (
                "thiserror",
                "writes the crate's error type without boilerplate",
            ),
        ],
        never: &[ASYNC, KAFKA, SQL, HTTP],
        words: &[],
    },
    Room {
        name: "cargo-events",
        rooms: &["events-core", "events-docs", "events-locks"],
        crates: &[
            (
                "cargo_metadata",
                "finds the libraries whose events are to be linked",
            ),
            ("clap", "reads the command line, as every service does"),
            ("serde_json", "prints findings as JSON and SARIF"),
            (
                "toml",
                "writes the generated program's manifest, with the workspace's patches",
            ),
        ],
        never: &[ASYNC, KAFKA, SQL, HTTP],
        words: &[],
    },
    Room {
        name: "events-status",
        rooms: &["events-core", "events-runtime"],
        crates: &[
            ("axum", "routes the requests of the endpoint"),
            (
                "hyper",
                "serves connections with a time-out for a request's head",
            ),
            ("hyper-util", "joins hyper to tokio and to axum's router"),
            ("metrics", "the recorder that `/metrics` shows"),
            ("serde_json", "the status as JSON"),
            (
                "thiserror",
                "writes the crate's error types without boilerplate",
            ),
            ("tokio", "sockets, and the runtime of the endpoint's thread"),
            ("tracing", "says where the endpoint is open, and to whom"),
        ],
        never: &[KAFKA, SQL],
        words: &[],
    },
    Room {
        name: "events-testkit",
        rooms: &["events-core", "events-runtime"],
        crates: &[
            ("anyhow", "the error of a harness that was used wrongly"),
            ("serde_json", "payloads in assertions"),
            ("tokio", "the paused clock"),
        ],
        never: &[KAFKA, SQL, HTTP],
        words: &[],
    },
];
