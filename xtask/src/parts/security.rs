//! A broker's authorizer, its certificate and its users.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::output::tail;

/// Users and their passwords. The first may do everything, the second nothing that it is not granted.
const USERS: [(&str, &str); 2] = [
    ("admin", "only-the-admin-knows"),
    ("shop", "only-the-shop-knows"),
];
/// Guards the key in a directory that is thrown away with the broker.
const STORE_PASSWORD: &str = "of-no-account";

/// The key of a broker, its certificate and its users. Dropping it removes the files.
pub(crate) struct Security {
    directory: TempDir,
}

impl Security {
    /// Makes a key and a certificate for 127.0.0.1 that signs itself, by the JDK's own tool.
    pub(crate) fn make() -> Result<Self> {
        let security = Self {
            directory: tempfile::Builder::new().prefix("xtask-keys-").tempdir()?,
        };
        let directory = security.directory.path();
        let key = [
            "-genkeypair",
            "-keyalg",
            "EC",
            "-groupname",
            "secp256r1",
            "-dname",
            "CN=127.0.0.1",
            "-ext",
            "san=ip:127.0.0.1",
            "-validity",
            "30",
        ];
        keytool(directory, &key)?;
        keytool(directory, &["-exportcert", "-rfc", "-file", "broker.pem"])?;
        Ok(security)
    }

    /// What the broker needs beside the listener: its key, its users, and that nobody may do what was not granted.
    pub(crate) fn properties(&self) -> String {
        let users: String = USERS
            .iter()
            .map(|(user, password)| format!(" user_{user}=\"{password}\""))
            .collect();
        format!(
            "\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
# Brokers talk to one another on open listeners, so they are anonymous to each other.
super.users=User:{admin};User:ANONYMOUS
sasl.enabled.mechanisms=PLAIN
listener.name.secured.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required{users};
listener.name.secured.ssl.keystore.type=PKCS12
listener.name.secured.ssl.keystore.location={store}
listener.name.secured.ssl.keystore.password={STORE_PASSWORD}
listener.name.secured.ssl.key.password={STORE_PASSWORD}
",
            admin = USERS[0].0,
            store = self.directory.path().join("broker.p12").display(),
        )
    }

    /// What clients need to know, as environment variables.
    pub(crate) fn environment(&self, port: u16) -> Vec<(&'static str, String)> {
        let certificate = self.directory.path().join("broker.pem");
        vec![
            ("SECURED_KAFKA", format!("127.0.0.1:{port}")),
            (
                "SECURED_KAFKA_CERTIFICATE",
                certificate.display().to_string(),
            ),
            ("SECURED_KAFKA_ADMIN", USERS[0].1.to_owned()),
            ("SECURED_KAFKA_SHOP", USERS[1].1.to_owned()),
        ]
    }
}

fn keytool(directory: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("keytool");
    command.current_dir(directory).args(arguments).args([
        "-alias",
        "broker",
        "-keystore",
        "broker.p12",
        "-storetype",
        "PKCS12",
        "-storepass",
        STORE_PASSWORD,
    ]);
    let made = command
        .output()
        .context("a Java runtime has `keytool` beside `java`; is it on the PATH?")?;
    if !made.status.success() {
        let text = [made.stdout, made.stderr].concat();
        bail!(
            "keytool made no certificate:\n{}",
            tail(&String::from_utf8_lossy(&text), 10)
        );
    }
    Ok(())
}
