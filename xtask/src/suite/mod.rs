//! `cargo xtask test`: every check of the project, one after the other, counted.

mod again;
mod binaries;
mod example;
mod page;
mod session;
mod stage;
mod tally;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use console::style;

use crate::suite::again::Flaky;
pub(crate) use crate::suite::page::screenshots;
use crate::suite::session::{Failure, Session};
pub(crate) use crate::suite::stage::Stage;
use crate::suite::tally::Tally;
use xtask::output::excerpt;
use xtask::parts::tools;
use xtask::progress::Progress;
use xtask::workspace::Workspace;

/// Runs `stages` in order. One that fails does not stop the others: each tells something of its own.
pub(crate) fn run(workspace: &Workspace, stages: &[Stage]) -> Result<ExitCode> {
    let begun = Instant::now();
    tools::ensure(&[tools::C_COMPILER, tools::MAKE], &Progress::start("tools"))?;
    let mut session = Session::new(workspace)?;
    let mut total = Tally::default();
    let mut failed = Vec::new();
    let mut flaky = Vec::new();
    for &stage in stages {
        let start = Instant::now();
        let progress = Progress::start(stage.name());
        if !console::user_attended_stderr() {
            println!("{:<14} …", stage.name());
        }
        let outcome = stage.run(&mut session, &progress);
        let report = session.finish(outcome);
        drop(progress);
        let passed = report.failures.is_empty();
        // The stage itself is a check too: fmt has no tests, and a build that fails runs none.
        total += report.tally;
        total += Tally::one(passed);
        println!("{}", line(stage, passed, report.tally, start));
        for failure in &report.failures {
            println!("{}", indented(failure));
        }
        for test in &report.flaky {
            println!("{}", indented_flaky(test));
        }
        if !passed {
            failed.push(stage.name());
        }
        flaky.extend(report.flaky);
    }
    if !flaky.is_empty() {
        let names: Vec<_> = flaky.iter().map(|test| test.what.as_str()).collect();
        println!(
            "\nflaky: {} (failed, and passed when run again alone): {}\n\
            A flaky test is a fault: mend it before new work.",
            flaky.len(),
            names.join("; ")
        );
    }
    if !failed.is_empty() {
        println!(
            "\nfailed: {}; once more alone: cargo xtask test --only {}",
            failed.join(", "),
            failed.join(",")
        );
    }
    println!(
        "took {}; every output in full: {}",
        duration(begun),
        session.logs().display()
    );
    println!("{total}");
    Ok(if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn line(stage: Stage, passed: bool, tally: Tally, start: Instant) -> String {
    let word = if passed {
        style("ok    ").green()
    } else {
        style("FAILED").red().bold()
    };
    let tests = if tally == Tally::default() {
        String::new()
    } else {
        tally.to_string()
    };
    format!(
        "{:<14} {word} {:>8}  {tests}",
        stage.name(),
        duration(start)
    )
    .trim_end()
    .to_owned()
}

fn duration(start: Instant) -> String {
    let seconds = start.elapsed().as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!(
            "{:.0} m {:02.0} s",
            (seconds / 60.0).floor(),
            seconds % 60.0
        )
    }
}

fn indented_flaky(test: &Flaky) -> String {
    let what = format!("flaky: {}; when it failed:", test.what);
    indented(&Failure {
        what,
        text: test.text.clone(),
        log: Some(test.log.clone()),
    })
}

fn indented(failure: &Failure) -> String {
    let log = failure
        .log
        .as_ref()
        .map(|log| format!("\n(in full: {})", log.display()))
        .unwrap_or_default();
    let text = format!("{}\n{}{log}", failure.what, excerpt(&failure.text));
    text.trim_end()
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect()
}
