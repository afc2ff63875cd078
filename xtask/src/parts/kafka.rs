//! Apache Kafka: one broker, or three, each a JVM on loopback with data that is thrown away.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::parts::maven::Bundle;
use crate::parts::readiness::await_ready;
use crate::parts::security::Security;
use crate::parts::settings::{Ports, Proxied, server_properties};
use crate::parts::{ports, tools};
use crate::process::{Farewell, Process};
use crate::progress::Progress;
use crate::workspace::Workspace;

const BUNDLE: Bundle = Bundle {
    name: "apache-kafka-4.4.0",
    artifacts: &[
        "org.apache.kafka:kafka_2.13:4.4.0",
        "org.slf4j:slf4j-simple:1.7.36",
    ],
    size: "43 MB",
};

/// Any 22 characters of base64url would do; brokers that know the same one form one cluster.
const CLUSTER_ID: &str = "ZXZlbnRzLXh0YXNrLWthZg";

/// Formatting and serving are one process, so that one guard covers both: `$1` jars, `$2` heap, `$3` the settings.
const START: &str = r#"
java -Xmx256m -XX:+UseSerialGC -cp "$1/*" kafka.tools.StorageTool format -t "$4" -c "$3" || exit 1
exec java "$2" -XX:+UseSerialGC -cp "$1/*" kafka.Kafka "$3"
"#;

/// The same, but a broker that was killed waits for the file `again` and goes on with its data.
const SUPERVISE: &str = r#"
java -Xmx256m -XX:+UseSerialGC -cp "$1/*" kafka.tools.StorageTool format -t "$4" -c "$3" || exit 1
while :; do
    java "$2" -XX:+UseSerialGC -cp "$1/*" kafka.Kafka "$3" &
    echo $! > part; mv part broker.pid
    wait $!
    until [ -e again ]; do sleep 0.1; done
    rm again
done
"#;

const READY: &str = "Kafka Server started";

/// A running cluster. Dropping it stops every broker and removes their data.
pub struct Kafka {
    brokers: Vec<Broker>,
    security: Option<Security>,
}

struct Broker {
    process: Process,
    ports: Ports,
    scratch: PathBuf,
    log: PathBuf,
}

impl Kafka {
    /// Brings up `count` brokers and returns once all of them answer.
    pub fn start(workspace: &Workspace, count: usize, progress: &Progress) -> Result<Self> {
        Self::launch(workspace, &vec![None; count], None, "", progress)
    }

    /// Brings up one broker with further lines in its `server.properties`.
    pub fn with_settings(
        workspace: &Workspace,
        settings: &str,
        progress: &Progress,
    ) -> Result<Self> {
        Self::launch(workspace, &[None], None, settings, progress)
    }

    /// Brings up one broker with an authorizer, and a listener with TLS and SASL beside the open one, on which everybody
    /// may do everything.
    pub fn secured(workspace: &Workspace, progress: &Progress) -> Result<Self> {
        tools::ensure(&[tools::JAVA], progress)?;
        let security = Security::make()?;
        Self::launch(workspace, &[None], Some(security), "", progress)
    }

    /// Brings up one broker for each of `proxies`, the ports that the brokers tell their clients in place of their own.
    /// These brokers can be killed and started again with their data.
    pub fn behind(workspace: &Workspace, proxies: &[u16], progress: &Progress) -> Result<Self> {
        let proxies: Vec<_> = proxies.iter().copied().map(Some).collect();
        Self::launch(workspace, &proxies, None, "", progress)
    }

    fn launch(
        workspace: &Workspace,
        proxies: &[Option<u16>],
        security: Option<Security>,
        settings: &str,
        progress: &Progress,
    ) -> Result<Self> {
        let count = proxies.len();
        tools::ensure(&[tools::JAVA], progress)?;
        let jars = BUNDLE.fetch(workspace, progress)?;
        let logs = workspace.real_parts().join("logs");
        fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;
        progress.note(&format!(
            "starting Apache Kafka 4.4.0 ({count} broker{})",
            if count == 1 { "" } else { "s" }
        ));
        let free = ports::free(3 * count)?;
        let ports: Vec<Ports> = free
            .chunks(3)
            .zip(proxies)
            .map(|(free, proxy)| Ports {
                clients: free[0],
                controller: free[1],
                secured: security.as_ref().map(|_| free[2]),
                proxied: proxy.map(|advertised| Proxied {
                    advertised,
                    direct: free[2],
                }),
            })
            .collect();
        let security_settings = security.as_ref().map(Security::properties);
        let settings = security_settings.unwrap_or_default() + settings;
        let brokers = (1..=count)
            .map(|node| Broker::spawn(node, &ports, &settings, &jars, &logs))
            .collect::<Result<_>>()?;
        let kafka = Self { brokers, security };
        for (broker, ports) in kafka.brokers.iter().zip(&ports) {
            let answers = || answers_api_versions(ports.clients).unwrap_or(false);
            await_ready("Apache Kafka", &broker.process, &broker.log, READY, answers)?;
        }
        Ok(kafka)
    }

    /// The value for `KAFKA_BOOTSTRAP_SERVERS`.
    pub fn address(&self) -> String {
        joined(self.brokers.iter().map(|broker| broker.ports.clients))
    }

    /// What a client of the listener with TLS and SASL needs to know, as environment variables; empty without one.
    pub fn secured_environment(&self) -> Vec<(&'static str, String)> {
        let port = self.brokers.first().and_then(|broker| broker.ports.secured);
        match (&self.security, port) {
            (Some(security), Some(port)) => security.environment(port),
            _ => Vec::new(),
        }
    }

    /// The same by the brokers' own listeners, past the proxies.
    pub fn direct_address(&self) -> String {
        let direct = |broker: &Broker| {
            let proxied = broker.ports.proxied;
            proxied.map_or(broker.ports.clients, |proxied| proxied.direct)
        };
        joined(self.brokers.iter().map(direct))
    }

    /// Where the proxies find the brokers.
    pub fn clients_ports(&self) -> Vec<u16> {
        let ports = self.brokers.iter().map(|broker| broker.ports.clients);
        ports.collect()
    }

    /// Kills one broker (from 0) of a cluster behind proxies with SIGKILL; its data stay.
    pub fn kill(&self, broker: usize) -> Result<()> {
        let file = self.brokers[broker].scratch.join("broker.pid");
        let pid = fs::read_to_string(&file)
            .with_context(|| format!("{} names the broker's process", file.display()))?;
        let killed = Command::new("kill")
            .args(["-s", "KILL", pid.trim()])
            .status()?;
        if !killed.success() {
            bail!("broker {broker} was not running");
        }
        Ok(())
    }

    /// Starts a killed broker again, without waiting until it answers.
    pub fn revive(&self, broker: usize) -> Result<()> {
        File::create(self.brokers[broker].scratch.join("again"))?;
        Ok(())
    }

    /// Whether a broker answers its clients.
    pub fn answers(&self, broker: usize) -> bool {
        answers_api_versions(self.brokers[broker].ports.clients).unwrap_or(false)
    }

    /// The brokers' log files.
    pub fn logs(&self) -> impl Iterator<Item = &Path> {
        self.brokers.iter().map(|broker| broker.log.as_path())
    }

    /// Fails when a broker has died; a hint that belongs beside the failure of whatever used it.
    pub fn check(&self) -> Result<()> {
        for broker in &self.brokers {
            if let Some(status) = broker.process.ended()? {
                bail!(
                    "the broker at 127.0.0.1:{} has ended ({status}); its log is {}",
                    broker.ports.clients,
                    broker.log.display()
                );
            }
        }
        Ok(())
    }
}

impl Broker {
    fn spawn(node: usize, ports: &[Ports], more: &str, jars: &Path, logs: &Path) -> Result<Self> {
        let scratch = tempfile::Builder::new()
            .prefix("xtask-kafka-")
            .tempdir()?
            .keep();
        let settings = scratch.join("server.properties");
        let mut properties = server_properties(node, ports, &scratch.join("data"));
        properties.push_str(more);
        fs::write(&settings, properties)?;
        // The port keeps the logs of two clusters at the same time apart.
        let log = logs.join(format!("kafka-{}.log", ports[node - 1].clients));
        let output =
            File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let heap = if ports.len() == 1 {
            "-Xmx512m"
        } else {
            "-Xmx256m"
        };
        let mut command = Command::new("sh");
        let own = ports[node - 1];
        let script = if own.proxied.is_some() {
            SUPERVISE
        } else {
            START
        };
        command
            .args(["-c", script, "kafka"])
            .args([
                jars.as_os_str(),
                heap.as_ref(),
                settings.as_os_str(),
                CLUSTER_ID.as_ref(),
            ])
            .current_dir(&scratch)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let process = Process::spawn(&mut command, Farewell::Kill, Some(scratch.clone()))?;
        Ok(Self {
            process,
            ports: own,
            scratch,
            log,
        })
    }
}

fn joined(ports: impl Iterator<Item = u16>) -> String {
    let addresses: Vec<_> = ports.map(|port| format!("127.0.0.1:{port}")).collect();
    addresses.join(",")
}

/// Asks the broker which requests it knows (ApiVersions, version 0), the first thing that every client asks.
fn answers_api_versions(port: u16) -> std::io::Result<bool> {
    const CORRELATION: [u8; 4] = *b"xtsk";
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    // Length, api key 18, api version 0, correlation id, and a null client id.
    let mut request = vec![0, 0, 0, 10, 0, 18, 0, 0];
    request.extend(CORRELATION);
    request.extend([0xff, 0xff]);
    stream.write_all(&request)?;
    // Length, correlation id, error code.
    let mut answer = [0; 10];
    stream.read_exact(&mut answer)?;
    Ok(answer[4..8] == CORRELATION && answer[8..] == [0, 0])
}
