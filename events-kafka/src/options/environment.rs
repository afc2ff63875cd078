//! `KAFKA_*` variables as properties of the client.

use std::collections::BTreeMap;

const PREFIX: &str = "KAFKA_";

/// Variables that Kafka's own scripts read; they are no properties of a client.
const SCRIPTS: [&str; 13] = [
    "HOME",
    "OPTS",
    "HEAP_OPTS",
    "JVM_PERFORMANCE_OPTS",
    "GC_LOG_OPTS",
    "LOG4J_OPTS",
    "LOG4J_CMD_OPTS",
    "JMX_OPTS",
    "JMX_PORT",
    "DEBUG",
    "CLASSPATH",
    "VERSION",
    "MODE",
];

/// The properties that `variables` give: `KAFKA_SASL_PASSWORD` is `sasl.password`.
///
/// Left out is what Kafka's own scripts read, and what Kubernetes adds for a service called `kafka`
/// (`KAFKA_SERVICE_HOST`, `KAFKA_PORT_9092_TCP_ADDR`, …). An empty variable counts as unset.
pub(crate) fn properties(
    variables: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let named = variables.into_iter().filter_map(|(variable, value)| {
        let name = variable.strip_prefix(PREFIX)?;
        let wanted =
            !value.is_empty() && !SCRIPTS.contains(&name) && !is_service_link(name, &value);
        wanted.then(|| (property(name), value))
    });
    named.collect()
}

/// The variable that gives a property.
pub(crate) fn variable(property: &str) -> String {
    format!("{PREFIX}{}", property.to_uppercase().replace('.', "_"))
}

fn property(name: &str) -> String {
    name.to_lowercase().replace('_', ".")
}

fn is_service_link(name: &str, value: &str) -> bool {
    let host = name == "SERVICE_HOST" || name.ends_with("_SERVICE_HOST");
    let port = name.starts_with("SERVICE_PORT") || name.contains("_SERVICE_PORT");
    let link = (name == "PORT" || name.ends_with("_PORT") || name.contains("PORT_"))
        && value.contains("://");
    let part = [
        "_TCP_ADDR",
        "_TCP_PORT",
        "_TCP_PROTO",
        "_UDP_ADDR",
        "_UDP_PORT",
        "_UDP_PROTO",
    ];
    host || port || link || part.iter().any(|part| name.ends_with(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        properties(owned).into_iter().collect()
    }

    #[test]
    fn a_variable_is_a_property() {
        let found = of(&[
            ("KAFKA_BOOTSTRAP_SERVERS", "a:9092"),
            ("KAFKA_SASL_PASSWORD", "x"),
            ("KAFKA_CLIENT_ID", ""),
            ("PATH", "/bin"),
        ]);
        let expected = [("bootstrap.servers", "a:9092"), ("sasl.password", "x")];
        assert_eq!(
            found,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(variable("bootstrap.servers"), "KAFKA_BOOTSTRAP_SERVERS");
    }

    #[test]
    fn what_scripts_and_kubernetes_set_is_no_property() {
        let found = of(&[
            ("KAFKA_HEAP_OPTS", "-Xmx1g"),
            ("KAFKA_SERVICE_HOST", "10.0.0.1"),
            ("KAFKA_SERVICE_PORT", "9092"),
            ("KAFKA_SERVICE_PORT_CLIENTS", "9092"),
            ("KAFKA_PORT", "tcp://10.0.0.1:9092"),
            ("KAFKA_PORT_9092_TCP", "tcp://10.0.0.1:9092"),
            ("KAFKA_PORT_9092_TCP_ADDR", "10.0.0.1"),
            ("KAFKA_BROKER_0_SERVICE_HOST", "10.0.0.2"),
        ]);
        assert_eq!(found, []);
    }
}
