//! Properties that the client knows by two names.

/// The other name of a property, and the one that is used here, by the client's own table (2.12).
const ALIASES: [(&str, &str); 11] = [
    ("compression.codec", "compression.type"),
    ("delivery.timeout.ms", "message.timeout.ms"),
    ("fetch.message.max.bytes", "max.partition.fetch.bytes"),
    ("max.in.flight", "max.in.flight.requests.per.connection"),
    ("message.send.max.retries", "retries"),
    ("metadata.broker.list", "bootstrap.servers"),
    ("queue.buffering.max.ms", "linger.ms"),
    ("request.required.acks", "acks"),
    ("sasl.mechanisms", "sasl.mechanism"),
    (
        "sasl.oauthbearer.client.credentials.client.id",
        "sasl.oauthbearer.client.id",
    ),
    (
        "sasl.oauthbearer.client.credentials.client.secret",
        "sasl.oauthbearer.client.secret",
    ),
];

/// The name by which a property is set.
pub(super) fn name(property: &str) -> &str {
    let found = ALIASES.iter().find(|(alias, _)| *alias == property);
    found.map_or(property, |(_, name)| name)
}

/// Whether two names are of one property.
pub(super) fn same(one: &str, other: &str) -> bool {
    name(one) == name(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_takes_both_names_for_one() {
        let native = |property: &str, value: &str| {
            let mut config = rdkafka::ClientConfig::new();
            config.set(property, value);
            config.create_native_config().ok()
        };
        for (alias, name) in ALIASES {
            let mut values = ["7", "1000", "lz4", "PLAIN"].into_iter();
            let Some(value) = values.find(|value| native(alias, value).is_some()) else {
                // The client was built without OAuth.
                assert!(alias.starts_with("sasl.oauthbearer"), "{alias}");
                continue;
            };
            let set = native(alias, value).unwrap();
            assert_eq!(set.get(name).unwrap(), value, "{alias}");
        }
    }
}
