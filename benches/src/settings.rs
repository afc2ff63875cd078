//! Client settings that both sides of every ratio have.

/// Consumers. A prefetch queue that was full must be topped up at once, or a plain loop is three times slower; and a fetch
/// that waits at the end of some partitions holds up the others. A client waits half of its first pause between two connections
/// of a start.
pub(crate) const CONSUMER: [(&str, &str); 5] = [
    ("reconnect.backoff.ms", "20"),
    ("fetch.queue.backoff.ms", "2"),
    ("fetch.wait.max.ms", "50"),
    ("queued.max.messages.kbytes", "4096"),
    ("session.timeout.ms", "10000"),
];

/// Producers.
pub(crate) const PRODUCER: [(&str, &str); 3] = [
    ("reconnect.backoff.ms", "20"),
    ("enable.idempotence", "true"),
    ("partitioner", "murmur2_random"),
];

/// How long a record waits for a batch, in milliseconds: at the edge, and where records are published for others. By hand it
/// must be set; the framework has it so.
pub(crate) const EDGE_LINGER: &str = "1";
pub(crate) const REACTION_LINGER: &str = "5";

/// Partitions of every topic.
pub(crate) const PARTITIONS: i32 = 8;

/// How long the slow handler waits.
pub(crate) const WAIT: std::time::Duration = std::time::Duration::from_millis(1);
