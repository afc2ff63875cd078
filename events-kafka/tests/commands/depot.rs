//! The owner of the commands.

use events_kafka::{Meta, Publisher, Registry, Result, Runtime, command, event, handler};
use tokio::sync::Semaphore;

use crate::support::client;

/// Whether stock was set aside.
#[event(topic = "commands-replies", key = id)]
#[derive(Debug)]
pub(crate) struct StockReply {
    pub(crate) id: String,
    pub(crate) flow: String,
    pub(crate) cause: Option<String>,
}

#[command(owner = "commands-depot", key = id, reply = StockReply)]
pub(crate) struct ReserveStock {
    pub(crate) id: String,
}

/// Has its stock reserved by another command.
#[command(owner = "commands-depot", key = id, reply = StockReply)]
pub(crate) struct OrderStock {
    pub(crate) id: String,
}

/// The same by hand.
#[command(owner = "commands-depot", key = id, reply = StockReply)]
pub(crate) struct PassOn {
    pub(crate) id: String,
}

/// Answered once the gate is opened.
#[command(owner = "commands-depot", key = id, reply = StockReply)]
pub(crate) struct CountStock {
    pub(crate) id: String,
}

pub(crate) static GATE: Semaphore = Semaphore::const_new(0);

#[handler(service = "commands-depot")]
async fn reserve(command: ReserveStock, meta: Meta) -> Result<Option<StockReply>> {
    Ok((command.id != "silent").then_some(StockReply {
        id: command.id,
        flow: meta.correlation_id,
        cause: meta.causation_id,
    }))
}

#[handler(service = "commands-depot")]
async fn order(command: OrderStock) -> ReserveStock {
    ReserveStock { id: command.id }
}

#[handler(service = "commands-depot", emits(ReserveStock))]
async fn pass_on(command: PassOn, publisher: Publisher) -> Result<()> {
    publisher.send(&ReserveStock { id: command.id })
}

#[handler(service = "commands-depot")]
async fn count(command: CountStock, meta: Meta) -> Result<StockReply> {
    GATE.acquire().await?.forget();
    Ok(StockReply {
        id: command.id,
        flow: meta.correlation_id,
        cause: None,
    })
}

pub(crate) fn depot() -> Runtime {
    Runtime::with_registry("commands-depot", Registry::linked())
        .client(client())
        .ensure_topics(2, 1)
}
