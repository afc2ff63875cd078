//! What a parked log says, record by record.

use std::sync::Arc;

/// Sixteen hexadecimal characters, drawn anew by each lane.
pub(crate) type Token = String;

/// A handler (by the hash of its stable name) and a key (by its hash).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pair {
    pub(crate) handler: u32,
    pub(crate) key: u64,
}

/// Who may append facts from here on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) generation: i64,
    pub(crate) token: Token,
}

/// What makes two copies of a record one: the first counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Identity {
    /// A handler's hash, the offset of the record in the source partition, and its print: a topic that is deleted and made
    /// anew gives its offsets a second time.
    Origin(u32, i64, u64),
    /// The dead letter that was redriven.
    Redrive(Arc<str>),
}

/// A record as it comes into the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Item<T> {
    pub(crate) identity: Identity,
    pub(crate) pair: Pair,
    /// Of a redriven record the offset in the source that it once had, if that is known.
    pub(crate) redriven: Option<i64>,
    /// Whether a handler of this build can run it; others stay open and are listed.
    pub(crate) runnable: bool,
    pub(crate) attempts: u32,
    /// When the next attempt is due, in milliseconds since the Unix epoch.
    pub(crate) next: i64,
    /// Why it failed last, briefly.
    pub(crate) error: Option<String>,
    pub(crate) size: usize,
    pub(crate) payload: T,
}

/// What somebody outside wants of a parked record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    /// To the dead letters with it.
    Skip(String),
    /// Away with it.
    Discard(String),
}

impl Order {
    /// Who gave it, and why.
    pub(crate) fn by(&self) -> &str {
        match self {
            Self::Skip(by) | Self::Discard(by) => by,
        }
    }
}

/// One record of the log.
#[derive(Debug, Clone)]
pub(crate) enum Fact<T> {
    Claim(Claim),
    Parked(Token, Item<T>),
    Failed {
        token: Token,
        at: i64,
        attempts: u32,
        next: i64,
        error: String,
    },
    Done {
        token: Token,
        at: i64,
    },
    Redrive(Item<T>),
    /// The pair's head is due now.
    RetryNow(Pair),
    /// The claim with this token was made in a group that was deleted since.
    TakeOver {
        token: Token,
    },
    Order {
        at: i64,
        order: Order,
    },
}
