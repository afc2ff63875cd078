//! The real parts, brought up without containers (design §12): Apache Kafka and PostgreSQL by name from Maven Central.

pub mod kafka;
pub mod maven;
pub mod ports;
pub mod postgres;
mod readiness;
mod security;
mod settings;
pub mod tools;

/// Where tests, examples and benches find Kafka. When it is set, that broker is used and none is started.
pub const KAFKA_ADDRESS: &str = "KAFKA_BOOTSTRAP_SERVERS";

/// Where stores find PostgreSQL. When it is set, that server is used and none is started.
pub const POSTGRES_ADDRESS: &str = "DATABASE_URL";

/// The address that the environment gives, if it gives one.
pub fn given(variable: &str) -> Option<String> {
    std::env::var(variable)
        .ok()
        .filter(|address| !address.trim().is_empty())
}
