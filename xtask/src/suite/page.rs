//! The page in a browser, and AsyncAPI documents before the official parser: `tests/page`, on Node.js.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

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

/// Runs the tests.
pub(super) fn run(name: &str, session: &mut Session<'_>, progress: &Progress) -> Result<()> {
    let Some(mut node) = prepared(session, &NEEDED, progress)? else {
        return Ok(());
    };
    node.args(["--test", "--test-reporter=tap"]).args(TESTS);
    let captured = session.step(name, node, SHORT, progress)?;
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
    let mut outcome = prepared(&mut session, &needed, &progress);
    if let Ok(Some(node)) = &mut outcome {
        node.arg("screenshots.mjs")
            .arg(workspace.root().join("docs"));
    }
    let outcome = outcome.and_then(|node| match node {
        Some(node) => session
            .step("screenshots", node, SHORT, &progress)
            .map(drop),
        None => Ok(()),
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
) -> Result<Option<Command>> {
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
    let mut node = in_directory("node");
    let built: PathBuf = session.workspace.target().join("debug");
    node.envs(PROGRAMS.map(|(variable, program)| (variable, built.join(program))));
    node.env(
        "CHROMIUM",
        tools::chromium().context("Chromium was here just now")?,
    );
    Ok(Some(node))
}
