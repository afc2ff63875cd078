//! The client's configuration for each of the things that it does here.

use events_runtime::Settings;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use super::aliases;
use super::roles::Role;
use super::{ClientOptions, GroupProtocol};

/// The broker's own default for the largest batch of a topic, in bytes.
pub(crate) const BROKER_MAX_MESSAGE: usize = 1_048_588;

/// Milliseconds that a broker may hold a fetch back which finds nothing. The client has one fetch at a broker at a time: the one
/// that waits at the ends of idle partitions keeps all others of that broker, whose queues were full when it was sent,
/// without records for so long. With the client's own 500 a lane that catches up alone stands still most of the time.
const FETCH_WAIT: &str = "50";

/// Bytes of the parked logs that are worth an answer before [`FETCH_WAIT`] is over, and the most of one log in an answer: what
/// others write there may be packed a thousand times smaller than it is.
const FETCH_PARKED: usize = 64 * 1024;

/// Kibibytes of values, and records, that are fetched ahead of a partition: at least, and at most.
const PREFETCH_LEAST: usize = 64;
const PREFETCH_VALUES: usize = 4096;
const PREFETCH_RECORDS: usize = 20_000;
/// Bytes of one fetch of a partition as they come from the broker, which answers with one batch at least, and the client's own
/// default.
const FETCH_LEAST: usize = 16 * 1024;
const FETCH: usize = 1024 * 1024;
/// How much larger a fetch may be once it is unpacked. The client unpacks all of it, and its other bounds do not hold it back.
const PACKED: usize = 64;

/// How long an unknown topic may have been made just now.
const PROPAGATION: &str = "topic.metadata.propagation.max.ms";

/// How often a client asks for the partitions of its topics, in milliseconds. Each client has a picture of its own, and with the
/// client's own five minutes partitions that are added would be read, and written to by key, only that late.
const REFRESH: (&str, &str) = ("topic.metadata.refresh.interval.ms", "5000");

/// Milliseconds before a client first connects again. Half of it is also how long the client waits between two connections of a
/// start: with its own 100 each client loses 50 ms once it knows the cluster's brokers. The pauses double up to
/// `reconnect.backoff.max.ms`.
const RECONNECT: (&str, &str) = ("reconnect.backoff.ms", "20");

impl ClientOptions {
    /// A member of the consumer group `group`.
    pub(crate) fn consumer(&self, group: &str, settings: &Settings) -> ClientConfig {
        self.reading(group, settings, (settings.prefetch_bytes(), FETCH))
    }

    /// A consumer that fetches so many bytes ahead, and so many at once.
    fn reading(&self, group: &str, settings: &Settings, ahead: (usize, usize)) -> ClientConfig {
        let mut config = ClientConfig::new();
        self.prefetch(ahead, &mut config);
        // A full queue must be topped up at once.
        config.set("fetch.queue.backoff.ms", "2");
        config.set("fetch.wait.max.ms", self.fetch_wait());
        config.set(REFRESH.0, REFRESH.1);
        match self.protocol() {
            GroupProtocol::Classic => {
                config.set("partition.assignment.strategy", "cooperative-sticky");
                // The pause after a kill (trap 23); the client's own default is 45 s.
                config.set("session.timeout.ms", "10000");
            }
            GroupProtocol::Consumer => {
                config.set("group.protocol", "consumer");
            }
        }
        self.apply(Role::Consumer, &mut config);
        config.set("group.id", group);
        // Under KIP-848 the client sends its own commits again once the member has another epoch, also those of partitions
        // that others own by then, and a watermark would go back. What a lane hands out is committed without it too.
        let stored = self.protocol() == GroupProtocol::Classic;
        config.set("enable.auto.commit", stored.to_string());
        // A longer interval than the client takes would be refused; a day is none that anybody means.
        let interval = settings.commit_interval.as_millis().clamp(1, 86_400_000);
        config.set("auto.commit.interval.ms", interval.to_string());
        config.set("enable.auto.offset.store", "false");
        config.set("auto.offset.reset", "error");
        config.set("enable.partition.eof", "false");
        config
    }

    /// The reader of the group's parked logs: it never joins the group and commits nothing.
    pub(crate) fn parked_reader(&self, group: &str, settings: &Settings) -> ClientConfig {
        let ahead = (settings.parked_prefetch_bytes(), FETCH_PARKED);
        let mut config = self.reading(group, settings, ahead);
        for property in ["group.protocol", "group.instance.id"] {
            config.remove(property);
        }
        config.set("enable.auto.commit", "false");
        // The broker holds a fetch back for a short while, or each record that is parked would cost a fetch.
        config.set("fetch.min.bytes", FETCH_PARKED.to_string());
        config.set("fetch.wait.max.ms", self.fetch_wait());
        config
    }

    /// Split queues prefetch per partition. The client counts values alone, and takes one more fetch than its bounds say:
    /// half of a partition's share is for headers, keys and the client's own structures. A member may be assigned all
    /// partitions, so they all have a share.
    fn prefetch(&self, (bytes, most): (usize, usize), config: &mut ClientConfig) {
        let share = bytes / self.partitions;
        let kibibytes = share / 2 / 1024;
        let values = kibibytes.clamp(PREFETCH_LEAST, PREFETCH_VALUES);
        config.set("queued.max.messages.kbytes", values.to_string());
        let records = kibibytes.clamp(PREFETCH_LEAST, PREFETCH_RECORDS);
        config.set("queued.min.messages", records.to_string());
        let fetch = (share / PACKED).clamp(FETCH_LEAST, most);
        config.set("max.partition.fetch.bytes", fetch.to_string());
    }

    fn fetch_wait(&self) -> &'static str {
        if self.is_embedded() { "10" } else { FETCH_WAIT }
    }

    /// The producer of the lanes: no time limit, because a later emission of a key must not overtake an earlier one, and
    /// no bound, because the lanes have budgets of their own.
    pub(crate) fn lane_producer(&self) -> ClientConfig {
        let mut config = self.producer();
        config.set("message.timeout.ms", "0");
        // What a lane sends, it sends by the batch: the client's own default makes a third fewer requests of it.
        if self.property("linger.ms").is_none() {
            config.set("linger.ms", "5");
        }
        config
    }

    /// The producer at the edge.
    pub(crate) fn edge_producer(&self) -> ClientConfig {
        let mut config = self.producer();
        // Whoever publishes waits, and brokers tell each other of a new topic within milliseconds.
        if self.property(PROPAGATION).is_none() {
            config.set(PROPAGATION, "1000");
        }
        config
    }

    fn producer(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("enable.idempotence", "true");
        // As Java's clients do, so that one key has one partition whoever writes it (trap 18).
        config.set("partitioner", "murmur2_random");
        config.set("linger.ms", "1");
        config.set(REFRESH.0, REFRESH.1);
        config.set("message.timeout.ms", "30000");
        config.set("message.max.bytes", self.largest_record.to_string());
        self.apply(Role::Producer, &mut config);
        // Both producers bound what is under way themselves: a full client queue would have to be retried, out of order.
        config.set("queue.buffering.max.messages", "0");
        config.set("queue.buffering.max.kbytes", "2147483647");
        config
    }

    /// A client that asks for topics and their settings.
    pub(crate) fn admin(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        self.apply(Role::Producer, &mut config);
        let producing = ["acks", "enable.idempotence"];
        producing.iter().for_each(|property| {
            config.remove(property);
        });
        config
    }

    fn apply(&self, role: Role, config: &mut ClientConfig) {
        // Otherwise the level would hang on the `log` crate, which need not be set up where `tracing` is.
        let debugging = tracing::enabled!(target: "librdkafka", tracing::Level::DEBUG);
        config.set_log_level(if debugging {
            RDKafkaLogLevel::Debug
        } else {
            RDKafkaLogLevel::Notice
        });
        // A maximum below it would be refused.
        if self.property("reconnect.backoff.max.ms").is_none() {
            config.set(RECONNECT.0, RECONNECT.1);
        }
        for (property, value) in self.properties() {
            if role.takes(property) {
                // By one name, or two values of a property would be set in whatever order.
                config.set(aliases::name(property), value);
            }
        }
    }
}
