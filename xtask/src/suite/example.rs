//! The README's first command: as it stands there, with chaos, whose numbers must show that all of it happened, and on a
//! broker with a process for each service.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::suite::again::Again;
use crate::suite::session::Session;
use crate::suite::stage::SHORT;
use xtask::parts::KAFKA_ADDRESS;
use xtask::process::{Farewell, Process};
use xtask::progress::Progress;

const PACKAGE: &str = "order-choreography";
const CHAOS: [&str; 4] = ["--chaos", "--limit", "2000", "--json"];
/// As its README has them.
const SERVICES: [&str; 4] = ["payments", "inventory", "shipping", "customers"];
const ORDERS: [&str; 5] = ["run", "orders", "--limit", "500", "--json"];
/// What chaos must have caused.
const CAUSED: [&str; 5] = [
    "duplicates_skipped",
    "retried",
    "held",
    "parked",
    "redriven",
];

/// Runs both on the cluster at `address`, or on the embedded one.
pub(super) fn run(
    name: &str,
    session: &mut Session<'_>,
    address: Option<&str>,
    progress: &Progress,
) -> Result<()> {
    session.workspace.package(PACKAGE)?;
    let chaos = format!("{name}-chaos");
    let steps: [(&str, &[&str]); 2] = [(name, &[]), (&chaos, &CHAOS)];
    for (step, words) in steps {
        let arguments = ["run", "--package", PACKAGE, "--"];
        let command = |session: &Session<'_>, _: &[String]| {
            let mut command = session.cargo(arguments.iter().chain(words).copied());
            if let Some(address) = address {
                command.env(KAFKA_ADDRESS, address);
            }
            command
        };
        let captured = session.tests(step, Again::Whole, command, SHORT, progress)?;
        if captured.ok() && !words.is_empty() {
            check(captured.text()).with_context(|| step.to_owned())?;
        }
    }
    match address {
        Some(address) => apart(&format!("{name}-apart"), session, address, progress),
        None => Ok(()),
    }
}

/// A process for each service. Without one of them orders would not end.
fn apart(step: &str, session: &mut Session<'_>, address: &str, progress: &Progress) -> Result<()> {
    let program = session.workspace.target().join("debug").join(PACKAGE);
    let start = |service: &&str| {
        let mut command = Command::new(&program);
        command.args(["run", service]).env(KAFKA_ADDRESS, address);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Process::spawn(&mut command, Farewell::Ask, None)
    };
    let services: Vec<_> = SERVICES.iter().map(start).collect::<Result<_>>()?;
    let command = |_: &Session<'_>, _: &[String]| {
        let mut command = Command::new(&program);
        command.args(ORDERS).env(KAFKA_ADDRESS, address);
        command
    };
    let captured = session.tests(step, Again::Whole, command, SHORT, progress)?;
    for (name, service) in SERVICES.iter().zip(services) {
        ensure!(service.ended()?.is_none(), "`run {name}` ended by itself");
    }
    if captured.ok() {
        let report = report(captured.text())?;
        ensure!(report["orders"] == 500, "not all were placed: {report}");
        ensure!(report["unfinished"] == 0, "orders are unfinished: {report}");
    }
    Ok(())
}

/// The report is the last line.
fn report(text: &str) -> Result<Value> {
    let line = text.lines().rfind(|line| line.starts_with('{'));
    let line = line.context("there is no report")?;
    serde_json::from_str(line).context("the report is no JSON")
}

/// Whether a report says that chaos happened and left nothing behind.
fn check(text: &str) -> Result<()> {
    let report = report(text)?;
    let number = |field: &str| {
        let number = report[field].as_u64();
        number.with_context(|| format!("the report has no `{field}`: {report}"))
    };
    ensure!(
        number("unfinished")? == 0,
        "orders are unfinished: {report}"
    );
    for field in CAUSED {
        if number(field)? == 0 {
            bail!("chaos left no trace in `{field}`: {report}");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"orders":9,"unfinished":0,"duplicates_skipped":1,"retried":2,"held":3,"parked":4,"redriven":5}"#;

    #[test]
    fn a_report_in_which_something_did_not_happen_is_a_fault() {
        assert!(check(&format!("a line of the log\n{REPORT}\n")).is_ok());
        for (from, to) in [
            (r#""parked":4"#, r#""parked":0"#),
            (r#""unfinished":0"#, r#""unfinished":1"#),
            (r#","redriven":5"#, ""),
        ] {
            assert!(check(&REPORT.replace(from, to)).is_err(), "{to}");
        }
        assert!(check("no report").is_err());
    }
}
