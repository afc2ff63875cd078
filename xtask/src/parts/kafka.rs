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
use crate::parts::settings::{Ports, server_properties};
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

const READY: &str = "Kafka Server started";

/// A running cluster. Dropping it stops every broker and removes their data.
pub(crate) struct Kafka {
    brokers: Vec<Broker>,
}

struct Broker {
    process: Process,
    address: String,
    log: PathBuf,
}

impl Kafka {
    /// Brings up `count` brokers and returns once all of them answer.
    pub(crate) fn start(workspace: &Workspace, count: usize, progress: &Progress) -> Result<Self> {
        tools::ensure(&[tools::JAVA], progress)?;
        let jars = BUNDLE.fetch(workspace, progress)?;
        let logs = workspace.real_parts().join("logs");
        fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;
        progress.note(&format!(
            "starting Apache Kafka 4.4.0 ({count} broker{})",
            if count == 1 { "" } else { "s" }
        ));
        let free = ports::free(2 * count)?;
        let ports: Vec<Ports> = free
            .chunks(2)
            .map(|pair| Ports {
                clients: pair[0],
                controller: pair[1],
            })
            .collect();
        let brokers = (1..=count)
            .map(|node| Broker::spawn(node, &ports, &jars, &logs))
            .collect::<Result<_>>()?;
        let kafka = Self { brokers };
        for (broker, ports) in kafka.brokers.iter().zip(&ports) {
            let answers = || answers_api_versions(ports.clients).unwrap_or(false);
            await_ready("Apache Kafka", &broker.process, &broker.log, READY, answers)?;
        }
        Ok(kafka)
    }

    /// The value for `KAFKA_BOOTSTRAP_SERVERS`.
    pub(crate) fn address(&self) -> String {
        self.brokers
            .iter()
            .map(|broker| broker.address.as_str())
            .collect::<Vec<_>>()
            .join(",")
    }

    /// The brokers' log files.
    pub(crate) fn logs(&self) -> impl Iterator<Item = &Path> {
        self.brokers.iter().map(|broker| broker.log.as_path())
    }

    /// Fails when a broker has died; a hint that belongs beside the failure of whatever used it.
    pub(crate) fn check(&self) -> Result<()> {
        for broker in &self.brokers {
            if let Some(status) = broker.process.ended()? {
                bail!(
                    "the broker at {} has ended ({status}); its log is {}",
                    broker.address,
                    broker.log.display()
                );
            }
        }
        Ok(())
    }
}

impl Broker {
    fn spawn(node: usize, ports: &[Ports], jars: &Path, logs: &Path) -> Result<Self> {
        let scratch = tempfile::Builder::new()
            .prefix("xtask-kafka-")
            .tempdir()?
            .keep();
        let settings = scratch.join("server.properties");
        fs::write(
            &settings,
            server_properties(node, ports, &scratch.join("data")),
        )?;
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
        command
            .args(["-c", START, "kafka"])
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
        let process = Process::spawn(&mut command, Farewell::Kill, Some(scratch))?;
        Ok(Self {
            process,
            address: format!("127.0.0.1:{}", ports[node - 1].clients),
            log,
        })
    }
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
