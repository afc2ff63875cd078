//! The endpoint of running services: what they do, whether they are well, what they count.
//!
//! | request | answer |
//! |---|---|
//! | `GET /status` | JSON: a list with the [`Status`](events_runtime::Status) of each service of the process |
//! | `GET /healthz` | liveness: 503 with a line for each reason with which a restart helps; else 200, with a line for each other reason for which a service is unhealthy |
//! | `GET /readyz` | readiness: 200 while every consumer group has an assignment, an empty one too; else, and while draining, 503 with a line for each reason |
//! | `GET /metrics` | what the process counts, as Prometheus text; `docs/metrics.md` holds the table |
//! | `POST /handlers/{service}/{handler}/pause`, `…/resume` | 200 once it is told, 404 for a name that nobody has, 501 where it cannot be paused |
//!
//! Nothing listens unless an address is given: [`register`] opens it for the first service, further ones of the process
//! share it. It has a thread of its own, so that it answers while handlers block the service's threads. [`Access`]
//! says who may ask. By default everybody may read who reaches the address, and handlers are paused from loopback alone. A
//! `POST` needs `content-type: application/json`, which no form of a foreign web page can send, and a request must name
//! the endpoint by an address, `localhost` or an allowed name. Connections are bounded in number and time.
//!
//! A transport implements [`Running`]; users meet this crate through `events-kafka`.

mod access;
mod address;
mod client;
mod connections;
mod exposition;
mod health;
mod recorder;
mod routes;
mod running;
mod server;

pub use access::Access;
pub use address::{DEFAULT_ADDRESS, InvalidAddress, parse_address};
pub use client::{Answer, AskError, get, post};
pub use recorder::install_recorder;
pub use running::{Control, Refused, Running};
pub use server::{Registration, ServerError, register, register_with};
