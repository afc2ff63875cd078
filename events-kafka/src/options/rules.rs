//! Properties that the delivery rules depend on, and properties that the client does not know.

use std::collections::BTreeMap;

use events_core::Fault;
use rdkafka::ClientConfig;

use super::aliases;
use super::environment::variable;
use super::secrets::redact_error;

/// Properties that are not the user's to set, each with why and what to do instead.
const FIXED: [(&str, &str, &str); 12] = [
    (
        "enable.auto.commit",
        "the watermark is what is committed, and nothing else may be (D1)",
        "leave it out; `Settings::commit_interval` says how often",
    ),
    (
        "auto.commit.enable",
        "the watermark is what is committed, and nothing else may be (D1)",
        "leave it out; `Settings::commit_interval` says how often",
    ),
    (
        "auto.commit.interval.ms",
        "positions and what is done above them are committed together (D3)",
        "set `Settings::commit_interval`",
    ),
    (
        "enable.auto.offset.store",
        "a record would count as done before its handler ran (D1)",
        "leave it out",
    ),
    (
        "auto.offset.reset",
        "where a group starts is decided, not defaulted (D14)",
        "set `Settings::start`, or #[handler(start = \"…\")]",
    ),
    (
        "group.id",
        "the service's name is its consumer group",
        "name the service so, or write #[handler(group = \"…\")]",
    ),
    (
        "enable.partition.eof",
        "the end of a partition is no record",
        "leave it out",
    ),
    (
        "transactional.id",
        "transactions need a producer of their own, which this version does not have",
        "leave it out",
    ),
    (
        "delivery.report.only.error",
        "a record is done once its emissions are acknowledged, so every acknowledgement counts (D1)",
        "leave it out",
    ),
    (
        "queue.buffering.max.messages",
        "a full queue of the client would be tried again out of order (D2)",
        "leave it out; `Settings::lane_emission_bytes` and `Producer::builder(…).max_in_flight(…)` say how much may wait",
    ),
    (
        "queue.buffering.max.kbytes",
        "a full queue of the client would be tried again out of order (D2)",
        "leave it out; `Settings::lane_emission_bytes` and `Producer::builder(…).max_in_flight(…)` say how much may wait",
    ),
    (
        "test.mock.num.brokers",
        "the embedded cluster has its own switch",
        "call `.embedded()` or pass `--embedded`",
    ),
];

/// Properties whose values may only be these, each with why.
const BOUND: [(&str, &[&str], &str); 5] = [
    (
        "enable.idempotence",
        &["true"],
        "retries would reorder and repeat records (D2, D3)",
    ),
    (
        "acks",
        &["all", "-1"],
        "an acknowledged record could be lost with one broker (D1)",
    ),
    (
        "partition.assignment.strategy",
        &["cooperative-sticky"],
        "other strategies stop every lane at each rebalance (D8)",
    ),
    (
        "queuing.strategy",
        &["fifo"],
        "records of a key would overtake one another (D2)",
    ),
    (
        "group.protocol.type",
        &["consumer"],
        "nothing else is a consumer group",
    ),
];

/// Properties that the KIP-848 protocol keeps at the broker.
const CLASSIC: [&str; 3] = [
    "partition.assignment.strategy",
    "session.timeout.ms",
    "heartbeat.interval.ms",
];

/// What is wrong with one property.
pub(super) fn faults(
    property: &str,
    value: &str,
    from_environment: bool,
    consumer_protocol: bool,
) -> Vec<Fault> {
    let name = named(property, from_environment);
    let mut faults = Vec::new();
    if let Some((_, why, remedy)) = FIXED
        .iter()
        .find(|(fixed, ..)| aliases::same(fixed, property))
    {
        faults.push(Fault::new(
            "fixed-property",
            format!("{name} is not yours to set: {why}"),
            *remedy,
        ));
        return faults;
    }
    if let Some((_, values, why)) = BOUND
        .iter()
        .find(|(bound, ..)| aliases::same(bound, property))
        && !values.contains(&value)
    {
        let (message, remedy) = (
            format!("{name} cannot be `{value}`: {why}"),
            format!("leave it out, or set it to {}", values.join(" or ")),
        );
        faults.push(Fault::new("fixed-property", message, remedy));
        return faults;
    }
    if consumer_protocol && CLASSIC.contains(&property) {
        let message = format!(
            "{name} has no meaning with the group protocol `consumer`: the broker decides it"
        );
        faults.push(Fault::new(
            "fixed-property",
            message,
            "leave it out, or use the classic protocol",
        ));
        return faults;
    }
    if let Err(error) = ClientConfig::new()
        .set(property, value)
        .create_native_config()
    {
        let message = format!(
            "{name} is refused by the Kafka client: {}",
            redact_error(&error)
        );
        faults.push(Fault::new(
            "client-property",
            message,
            remedy(property, &error.to_string()),
        ));
    }
    faults
}

/// Properties that are set under two of their names at once, to different values.
pub(super) fn doubled(properties: &BTreeMap<String, String>, from_environment: bool) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (property, value) in properties {
        let name = aliases::name(property);
        let other = properties.get(name).filter(|other| *other != value);
        if name != property && other.is_some() {
            let (one, two) = (
                named(name, from_environment),
                named(property, from_environment),
            );
            faults.push(Fault::new(
                "doubled-property",
                format!("{one} and {two} are one, and have different values"),
                "leave one of them out",
            ));
        }
    }
    faults
}

/// As whoever set it calls it.
fn named(property: &str, from_environment: bool) -> String {
    match from_environment {
        true => format!("`{}` (the property `{property}`)", variable(property)),
        false => format!("the property `{property}`"),
    }
}

fn remedy(property: &str, reason: &str) -> String {
    if reason.contains("not available at build time")
        || reason.contains("not supported in this build")
        || reason.contains("OpenSSL")
    {
        let feature = if property.starts_with("sasl.kerberos") {
            "gssapi"
        } else {
            "ssl"
        };
        return format!(
            "build with TLS or SASL: events-kafka = {{ …, features = [\"{feature}\"] }} (`ssl-vendored` builds OpenSSL along)"
        );
    }
    "see https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md for names and values".to_owned()
}
