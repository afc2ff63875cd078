//! The programs that the real parts need, and how to come by them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::output::{Captured, tail};
use crate::progress::Progress;

/// A slow mirror gets a quarter of an hour.
const LIMIT: Duration = Duration::from_secs(900);

/// A program by what it is for and where it comes from.
#[derive(Clone, Copy)]
pub struct Tool {
    name: &'static str,
    present: fn() -> bool,
    /// On Debian and Ubuntu; the first that the distribution has is installed.
    packages: &'static [&'static str],
}

/// Runs Apache Kafka and Maven. Kafka 4 needs 17.
pub const JAVA: Tool = Tool {
    name: "Java 17 or later",
    present: || java_version().is_some_and(|version| version >= 17),
    packages: &["openjdk-17-jdk-headless", "default-jdk-headless"],
};

/// Unpacks jars. A runtime without development kit has `java` and no `jar`.
pub const JAR: Tool = Tool {
    name: "the `jar` program of a JDK",
    present: || runs("jar", "--version"),
    packages: JAVA.packages,
};

/// Fetches jars by name.
pub const MAVEN: Tool = Tool {
    name: "Maven (`mvn`)",
    present: || runs("mvn", "--version"),
    packages: &["maven"],
};

/// Compiles the Kafka client's C code.
pub const C_COMPILER: Tool = Tool {
    name: "a C compiler (`cc`)",
    present: || runs("cc", "--version"),
    packages: &["gcc"],
};

/// Compiles libFuzzer.
pub const CPP_COMPILER: Tool = Tool {
    name: "a C++ compiler (`c++`)",
    present: || runs("c++", "--version"),
    packages: &["g++"],
};

/// Builds the Kafka client.
pub const MAKE: Tool = Tool {
    name: "`make`",
    present: || runs("make", "--version"),
    packages: &["make"],
};

/// Finds the two libraries below.
pub const PKG_CONFIG: Tool = Tool {
    name: "`pkg-config`",
    present: || runs("pkg-config", "--version"),
    packages: &["pkg-config", "pkgconf"],
};

/// TLS of the Kafka client.
pub const OPENSSL: Tool = Tool {
    name: "OpenSSL's headers (`pkg-config openssl`)",
    present: || succeeds(Command::new("pkg-config").args(["--exists", "openssl"])),
    packages: &["libssl-dev"],
};

/// Kerberos of the Kafka client.
pub const SASL: Tool = Tool {
    name: "the headers of Cyrus SASL (`pkg-config libsasl2`)",
    present: || succeeds(Command::new("pkg-config").args(["--exists", "libsasl2"])),
    packages: &["libsasl2-dev"],
};

/// Runs the tests of the page. Playwright needs 20.
pub const NODE: Tool = Tool {
    name: "Node.js 20 or later (`node`)",
    present: || node_version().is_some_and(|version| version >= 20),
    packages: &["nodejs"],
};

/// Fetches what they need.
pub const NPM: Tool = Tool {
    name: "`npm`",
    present: || runs("npm", "--version"),
    packages: &["npm"],
};

/// Opens pages.
pub const CHROMIUM: Tool = Tool {
    name: "Chromium (`chromium-headless-shell` or `chromium`; CHROMIUM may name another)",
    present: || chromium().is_some(),
    packages: &["chromium-headless-shell", "chromium"],
};

/// Finds fonts.
pub const FONTCONFIG: Tool = Tool {
    name: "fontconfig (`fc-list`)",
    present: || runs("fc-list", "--version"),
    packages: &["fontconfig"],
};

/// The widest of the usual fonts: text that fits in it fits.
pub const DEJAVU: Tool = Tool {
    name: "the font DejaVu Sans",
    present: || has_font("DejaVu Sans"),
    packages: &["fonts-dejavu-core"],
};

/// The font of the screenshots, so that they look the same everywhere.
pub const INTER: Tool = Tool {
    name: "the font Inter",
    present: || has_font("Inter"),
    packages: &["fonts-inter"],
};

/// Unpacks PostgreSQL.
pub const XZ: Tool = Tool {
    name: "`xz`",
    present: || runs("xz", "--version"),
    packages: &["xz-utils"],
};

/// Returns once every tool is there, installed if this is Debian or Ubuntu and we are root.
pub fn ensure(tools: &[Tool], progress: &Progress) -> Result<()> {
    let missing: Vec<Tool> = tools
        .iter()
        .copied()
        .filter(|tool| !(tool.present)())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing
        .iter()
        .map(|tool| tool.name)
        .collect::<Vec<_>>()
        .join(", ");
    if !(is_root() && Path::new("/etc/debian_version").exists()) {
        let packages = missing
            .iter()
            .map(|tool| tool.packages[0])
            .collect::<Vec<_>>()
            .join(" ");
        bail!(
            "missing: {names}\n  install them (on Debian and Ubuntu: `sudo apt-get install {packages}`; elsewhere the \
             packages of the same purpose),\n  or with Docker: `docker compose up -d --wait`, then \
             `KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:9092 cargo xtask test`"
        );
    }
    progress.announce(&format!("missing: {names}; updating the package lists"));
    apt(&["update"], progress)?;
    let mut packages = Vec::new();
    for tool in &missing {
        let known = tool
            .packages
            .iter()
            .copied()
            .find(|package| in_distribution(package));
        packages.push(
            known.with_context(|| format!("this distribution has none of {:?}", tool.packages))?,
        );
    }
    packages.sort_unstable();
    packages.dedup();
    progress.announce(&format!(
        "installing {} (apt-get install)",
        packages.join(" ")
    ));
    apt(
        &[
            &["install", "--yes", "--no-install-recommends"],
            &packages[..],
        ]
        .concat(),
        progress,
    )?;
    match missing.iter().find(|tool| !(tool.present)()) {
        None => Ok(()),
        Some(tool) => bail!(
            "{} is still missing after installing {}",
            tool.name,
            packages.join(" ")
        ),
    }
}

/// Whether this process may install packages.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

/// Whether `program argument` can be run and says yes.
pub fn runs(program: &str, argument: &str) -> bool {
    succeeds(Command::new(program).arg(argument))
}

/// Whether the command ends with code 0; what it writes is dropped.
pub fn succeeds(command: &mut Command) -> bool {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn in_distribution(package: &str) -> bool {
    let shown = Command::new("apt-cache")
        .args(["show", "--no-all-versions", package])
        .output();
    shown.is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
}

fn apt(arguments: &[&str], progress: &Progress) -> Result<()> {
    let log = std::env::temp_dir().join("xtask-apt.log");
    let mut command = Command::new("apt-get");
    command
        .arg("--quiet")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    let captured = Captured::run(command, &log, LIMIT, |line| progress.activity(line))?;
    if captured.ok() {
        return Ok(());
    }
    bail!(
        "`apt-get {}` failed ({}):\n{}",
        arguments.join(" "),
        captured.ending(),
        tail(captured.text(), 10)
    )
}

/// The program of Chromium, or of Chrome.
pub fn chromium() -> Option<String> {
    let given = std::env::var("CHROMIUM").ok();
    let known = [
        "chromium-headless-shell",
        "chromium",
        "google-chrome",
        "google-chrome-stable",
    ];
    let mut all = given.into_iter().chain(known.map(str::to_owned));
    all.find_map(|program| which(&program).filter(|path| runs(path, "--version")))
}

/// Where a program lies. Playwright asks for a path.
fn which(program: &str) -> Option<String> {
    let directories = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::env::split_paths(&directories).map(|directory| directory.join(program));
    let mut files = paths.filter(|path| path.is_file());
    files.next()?.into_os_string().into_string().ok()
}

fn has_font(family: &str) -> bool {
    let listed = Command::new("fc-list").arg(family).output();
    listed.is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
}

/// `20` of `v20.20.2`.
fn node_version() -> Option<u32> {
    let output = Command::new("node").arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.trim()
        .strip_prefix('v')?
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// The major version: `17` of `openjdk version "17.0.15"`, and `1` of the old `"1.8.0"`.
fn java_version() -> Option<u32> {
    let output = Command::new("java")
        .arg("-version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    major_version(&text)
}

fn major_version(text: &str) -> Option<u32> {
    let version = text.split('"').nth(1)?;
    version
        .split(|digit: char| !digit.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::major_version;

    #[test]
    fn java_versions_are_read_in_every_form() {
        assert_eq!(
            major_version("openjdk version \"17.0.15\" 2025-04-15"),
            Some(17)
        );
        assert_eq!(major_version("openjdk version \"21\" 2023-09-19"), Some(21));
        assert_eq!(major_version("java version \"1.8.0_402\""), Some(1));
        assert_eq!(major_version("sh: java: not found"), None);
    }
}
