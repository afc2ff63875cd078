//! Which properties hold secrets, and how texts lose them.

use rdkafka::error::KafkaError as ClientError;

/// What stands where a secret was.
pub(crate) const REDACTED: &str = "<redacted>";

/// Parts of a property's name that make its value a secret. Rather one property too many than one too few.
const SECRET: [&str; 9] = [
    "password",
    "secret",
    "token",
    "key.pem",
    "keystore",
    "credential",
    "jaas",
    "assertion",
    "oauthbearer.config",
];

/// Whether the value of the property must never be shown.
pub(crate) fn is_secret(property: &str) -> bool {
    // A private key may be given in the place of its path.
    property == "ssl.key" || SECRET.iter().any(|part| property.contains(part))
}

/// The value as it may be shown.
pub(crate) fn shown<'a>(property: &str, value: &'a str) -> &'a str {
    if is_secret(property) { REDACTED } else { value }
}

/// The client's error as text. Its own text repeats the value of a refused property.
pub(crate) fn redact_error(error: &ClientError) -> String {
    match error {
        ClientError::ClientConfig(_, reason, property, value) => {
            let reason = reason.trim_end_matches('\0');
            if is_secret(property) && !value.is_empty() {
                reason.replace(value.as_str(), REDACTED)
            } else {
                reason.to_owned()
            }
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for secret in [
            "sasl.password",
            "ssl.key.pem",
            "ssl.key.password",
            "ssl.keystore.location",
            "sasl.oauthbearer.client.secret",
            "sasl.oauthbearer.config",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for open in [
            "bootstrap.servers",
            "sasl.username",
            "ssl.ca.location",
            "sasl.mechanism",
            "linger.ms",
        ] {
            assert!(!is_secret(open), "{open}");
        }
    }

    #[test]
    fn a_refused_secret_is_not_repeated() {
        let error = ClientError::ClientConfig(
            rdkafka::types::RDKafkaConfRes::RD_KAFKA_CONF_INVALID,
            "Invalid value \"hunter2\" for configuration property \"sasl.password\"".into(),
            "sasl.password".into(),
            "hunter2".into(),
        );
        let text = redact_error(&error);
        assert!(
            !text.contains("hunter2") && text.contains("sasl.password"),
            "{text}"
        );
    }
}
