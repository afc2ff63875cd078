//! Jars by name from Maven Central, kept so that a second run needs no network.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::output::{Captured, tail};
use crate::parts::tools;
use crate::progress::Progress;
use crate::workspace::Workspace;

/// The download takes seconds; a slow line gets ten minutes.
const LIMIT: Duration = Duration::from_secs(600);

/// A set of jars that is fetched and kept together.
pub struct Bundle {
    /// Also the directory's name, so a new version never mixes with an old one.
    pub name: &'static str,
    /// `group:artifact:version`, as Maven writes them.
    pub artifacts: &'static [&'static str],
    /// For the progress line.
    pub size: &'static str,
}

impl Bundle {
    /// The directory with the jars, downloaded first if it is not there.
    pub fn fetch(&self, workspace: &Workspace, progress: &Progress) -> Result<PathBuf> {
        let home = workspace.real_parts().join(self.name);
        let lib = home.join("lib");
        if lib.is_dir() {
            return Ok(lib);
        }
        tools::ensure(&[tools::JAVA, tools::MAVEN], progress)?;
        progress.note(&format!(
            "downloading {} from Maven Central ({}, once)",
            self.name, self.size
        ));
        // Downloaded beside and renamed when complete, so a broken download is never taken for a whole one.
        let part = home.join(format!("lib.{}", std::process::id()));
        fs::create_dir_all(&part).with_context(|| format!("cannot create {}", part.display()))?;
        fs::write(home.join("pom.xml"), self.pom()?)?;
        let mut maven = Command::new("mvn");
        maven
            .current_dir(&home)
            .args([
                "-q",
                "-B",
                "dependency:copy-dependencies",
                "-DincludeScope=runtime",
            ])
            .arg(format!("-DoutputDirectory={}", part.display()));
        let captured = Captured::run(maven, &home.join("mvn.log"), LIMIT, |line| {
            progress.activity(line)
        })?;
        if !captured.ok() {
            let _ = fs::remove_dir_all(&part);
            bail!(
                "Maven could not fetch {} ({}): check the network and Maven's settings.xml. Its log is {}, and ends \
                 with:\n{}",
                self.name,
                captured.ending(),
                home.join("mvn.log").display(),
                tail(captured.text(), 15),
            );
        }
        if let Err(error) = fs::rename(&part, &lib) {
            let _ = fs::remove_dir_all(&part);
            // Another run at the same time may have been first, and its copy is as good.
            if !lib.is_dir() {
                return Err(error)
                    .with_context(|| format!("cannot keep the jars in {}", lib.display()));
            }
        }
        Ok(lib)
    }

    fn pom(&self) -> Result<String> {
        let mut pom = String::from(
            "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  <modelVersion>4.0.0</modelVersion>\n  \
             <groupId>xtask</groupId>\n  <artifactId>real-parts</artifactId>\n  <version>1</version>\n  \
             <dependencies>\n",
        );
        for coordinates in self.artifacts {
            let [group, artifact, version] = coordinates.split(':').collect::<Vec<_>>()[..] else {
                bail!("`{coordinates}` is not group:artifact:version");
            };
            writeln!(
                pom,
                "    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
                 <version>{version}</version></dependency>"
            )?;
        }
        pom.push_str("  </dependencies>\n</project>\n");
        Ok(pom)
    }
}
