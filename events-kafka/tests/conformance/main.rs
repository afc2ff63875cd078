//! The conformance suite over Kafka: the cluster that `KAFKA_BOOTSTRAP_SERVERS` names, else the embedded one.

mod cluster;
mod records;

use cluster::Kafka;

events_testkit::conformance_tests! {
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async { Kafka::shared() }
}
