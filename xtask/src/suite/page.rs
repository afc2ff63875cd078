//! The page in a browser, and AsyncAPI documents before the official parser: `tests/page`, on Node.js.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::suite::again::Again;
use crate::suite::session::Session;
use crate::suite::stage::{BUILD, SHORT};
use crate::suite::tally::Tally;
use xtask::parts::tools;
use xtask::progress::Progress;
use xtask::workspace::Workspace;

/// The programs whose pages are opened.
const PROGRAMS: [(&str, &str); 2] = [
    ("CARGO_EVENTS", "cargo-events"),
    ("ORDER_CHOREOGRAPHY", "order-choreography"),
];
/// By name, so that one that vanishes is an error.
const TESTS: [&str; 2] = ["page.test.mjs", "asyncapi.test.mjs"];
const NEEDED: [tools::Tool; 5] = [
    tools::NODE,
    tools::NPM,
    tools::CHROMIUM,
    tools::FONTCONFIG,
    tools::DEJAVU,
];

/// Node.js with all that the scripts need.
struct Node {
    directory: PathBuf,
    /// Where the programs lie.
    built: PathBuf,
    chromium: PathBuf,
}

impl Node {
    fn command(&self) -> Command {
        let mut node = Command::new("node");
        node.current_dir(&self.directory);
        node.envs(PROGRAMS.map(|(variable, program)| (variable, self.built.join(program))));
        node.env("CHROMIUM", &self.chromium);
        node
    }
}

/// Runs the tests.
pub(super) fn run(name: &str, session: &mut Session<'_>, progress: &Progress) -> Result<()> {
    let Some(node) = prepared(session, &NEEDED, progress)? else {
        return Ok(());
    };
    let command = |_: &Session<'_>, _: &[String]| {
        let mut command = node.command();
        command.args(["--test", "--test-reporter=tap"]).args(TESTS);
        command
    };
    let captured = session.tests(name, Again::Whole, command, SHORT, progress)?;
    let tally = Tally::of_tests(captured.text());
    if captured.ok() && (tally.passed == 0 || tally.failed > 0) {
        bail!("{TESTS:?} in tests/page should hold tests, and skip none: {tally}");
    }
    Ok(())
}

/// `cargo xtask screenshots`: the pictures in `docs/`, taken anew.
pub(crate) fn screenshots(workspace: &Workspace) -> Result<ExitCode> {
    let progress = Progress::start("screenshots");
    let mut session = Session::new(workspace)?;
    let needed = [&NEEDED[..], &[tools::INTER]].concat();
    let outcome = prepared(&mut session, &needed, &progress).and_then(|node| {
        let Some(node) = node else { return Ok(()) };
        let mut command = node.command();
        command
            .arg("screenshots.mjs")
            .arg(workspace.root().join("docs"));
        session
            .step("screenshots", command, SHORT, &progress)
            .map(drop)
    });
    drop(progress);
    let report = session.finish(outcome);
    for failure in &report.failures {
        eprintln!("{}\n{}", failure.what, failure.text);
    }
    Ok(if report.failures.is_empty() {
        println!("docs/topology-light.png and docs/topology-dark.png are new: look at them");
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Node.js in `tests/page` with all that the scripts there need; none if a step failed, which is in the report.
fn prepared(
    session: &mut Session<'_>,
    needed: &[tools::Tool],
    progress: &Progress,
) -> Result<Option<Node>> {
    tools::ensure(needed, progress)?;
    let directory = session.workspace.root().join("tests/page");
    let in_directory = |program: &str| {
        let mut command = Command::new(program);
        command.current_dir(&directory);
        command
    };
    let mut install = in_directory("npm");
    install.args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--prefer-offline",
    ]);
    if !session
        .step("page-packages", install, SHORT, progress)?
        .ok()
    {
        return Ok(None);
    }
    let packages = PROGRAMS.map(|(_, package)| format!("--package={package}"));
    let words = ["build"]
        .into_iter()
        .chain(packages.iter().map(String::as_str));
    let build = session.cargo(words);
    if !session.step("page-programs", build, BUILD, progress)?.ok() {
        return Ok(None);
    }
    Ok(Some(Node {
        built: session.workspace.target().join("debug"),
        chromium: tools::chromium()
            .context("Chromium was here just now")?
            .into(),
        directory,
    }))
}
