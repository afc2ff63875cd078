//! The broker's `server.properties`.

use std::fmt::Write;
use std::path::Path;

/// The ports of one broker, which is also a controller.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) clients: u16,
    pub(crate) controller: u16,
    /// Of the listener with TLS and SASL.
    pub(crate) secured: Option<u16>,
    pub(crate) proxied: Option<Proxied>,
}

/// Further ports of a broker whose clients reach it through a proxy.
#[derive(Clone, Copy)]
pub(crate) struct Proxied {
    /// The proxy's, which the broker tells its clients in place of its own.
    pub(crate) advertised: u16,
    /// For the other brokers, and for tools that go round the proxy.
    pub(crate) direct: u16,
}

/// What every broker has, whatever their number. The defaults that are missing here are Kafka's own on purpose: a
/// test should meet the limits that production has, such as `message.max.bytes`.
const COMMON: &str = "\
process.roles=broker,controller
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,DIRECT:PLAINTEXT,SECURED:SASL_SSL,CONTROLLER:PLAINTEXT
offsets.topic.num.partitions=8
transaction.state.log.num.partitions=8
share.coordinator.state.topic.num.partitions=2
# A misspelt topic is an error here too, as in production, not a new topic.
auto.create.topics.enable=false
# Groups start at once, and tests may use short sessions under both group protocols.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
group.consumer.min.session.timeout.ms=1000
group.consumer.min.heartbeat.interval.ms=100
group.consumer.session.timeout.ms=10000
group.consumer.heartbeat.interval.ms=500
# Retention that overtakes a reader is a case that tests make on purpose, per topic; never by the clock.
log.retention.ms=-1
# What tests write is compacted soon.
log.cleaner.backoff.ms=1000
";

const STRING: &str = "writing to a string cannot fail";

/// The file of broker `node` (from 1) among `brokers`.
pub(crate) fn server_properties(node: usize, brokers: &[Ports], data: &Path) -> String {
    let own = brokers[node - 1];
    let copies = brokers.len().min(3);
    let in_sync = copies.div_ceil(2);
    let voters = brokers.iter().enumerate();
    let voters = voters
        .map(|(at, ports)| format!("{}@127.0.0.1:{}", at + 1, ports.controller))
        .collect::<Vec<_>>();
    let mut text = String::from(COMMON);
    let mut set = |key: &str, value: &dyn std::fmt::Display| {
        writeln!(text, "{key}={value}").expect(STRING);
    };
    set("node.id", &node);
    set("controller.quorum.voters", &voters.join(","));
    let mut listeners = format!(
        "PLAINTEXT://127.0.0.1:{},CONTROLLER://127.0.0.1:{}",
        own.clients, own.controller
    );
    let mut advertised = format!(
        "PLAINTEXT://127.0.0.1:{}",
        own.proxied
            .map_or(own.clients, |proxied| proxied.advertised)
    );
    if let Some(Proxied { direct, .. }) = own.proxied {
        write!(listeners, ",DIRECT://127.0.0.1:{direct}").expect(STRING);
        write!(advertised, ",DIRECT://127.0.0.1:{direct}").expect(STRING);
    }
    if let Some(secured) = own.secured {
        write!(listeners, ",SECURED://127.0.0.1:{secured}").expect(STRING);
        write!(advertised, ",SECURED://127.0.0.1:{secured}").expect(STRING);
    }
    let between = own.proxied.map_or("PLAINTEXT", |_| "DIRECT");
    set("listeners", &listeners);
    set("advertised.listeners", &advertised);
    set("inter.broker.listener.name", &between);
    set("log.dirs", &data.display());
    set("default.replication.factor", &copies);
    set("min.insync.replicas", &in_sync);
    for topic in [
        "offsets.topic",
        "transaction.state.log",
        "share.coordinator.state.topic",
    ] {
        set(&format!("{topic}.replication.factor"), &copies);
    }
    for topic in ["transaction.state.log", "share.coordinator.state.topic"] {
        set(&format!("{topic}.min.isr"), &in_sync);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_brokers_hold_three_copies_and_know_each_other() {
        let brokers = [1, 2, 3].map(|at| Ports {
            clients: 20_000 + at,
            controller: 21_000 + at,
            secured: None,
            proxied: None,
        });
        let text = server_properties(2, &brokers, Path::new("data"));
        assert!(text.contains("\nnode.id=2\n"));
        assert!(text.contains(
            "controller.quorum.voters=1@127.0.0.1:21001,2@127.0.0.1:21002,3@127.0.0.1:21003\n"
        ));
        assert!(text.contains("\nadvertised.listeners=PLAINTEXT://127.0.0.1:20002\n"));
        assert!(text.contains("\noffsets.topic.replication.factor=3\n"));
        assert!(text.contains("\nmin.insync.replicas=2\n"));
    }

    #[test]
    fn one_broker_asks_for_one_copy() {
        let text = server_properties(
            1,
            &[Ports {
                clients: 20_001,
                controller: 21_001,
                secured: None,
                proxied: None,
            }],
            Path::new("data"),
        );
        assert!(text.contains("\noffsets.topic.replication.factor=1\n"));
        assert!(text.contains("\ntransaction.state.log.min.isr=1\n"));
    }

    #[test]
    fn clients_learn_of_the_proxy_and_brokers_go_round_it() {
        let proxied = Proxied {
            advertised: 22_001,
            direct: 23_001,
        };
        let ports = Ports {
            clients: 20_001,
            controller: 21_001,
            secured: None,
            proxied: Some(proxied),
        };
        let text = server_properties(1, &[ports], Path::new("data"));
        assert!(text.contains(
            "\nadvertised.listeners=PLAINTEXT://127.0.0.1:22001,DIRECT://127.0.0.1:23001\n"
        ));
        assert!(text.contains("\nlisteners=PLAINTEXT://127.0.0.1:20001,"));
        assert!(text.contains("\ninter.broker.listener.name=DIRECT\n"));
    }
}
