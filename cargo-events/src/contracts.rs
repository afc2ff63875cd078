//! `cargo events contracts`: the locks of the workspace's libraries.

use std::process::ExitCode;

use events_core::contract::Declaration;
use events_core::escape;
use events_locks::LocksError;

use crate::arguments::ContractsArguments;
use crate::linking::Libraries;
use crate::print;
use crate::report::complain;

pub(crate) fn run(arguments: &ContractsArguments) -> Result<ExitCode, String> {
    let libraries = Libraries::find(&arguments.package, &arguments.features)?;
    for package in libraries.without() {
        complain(&format!(
            "note: {package} is no library: what it declares is looked after by `cargo run -p {package} -- contracts …`"
        ));
    }
    let declared = Declaration::from_json("the generated program's answer", &libraries.ask()?);
    let declared = declared.map_err(|error| chain(&error))?;
    let outcome = events_locks::run(&arguments.command, declared, &libraries.linked());
    let outcome = outcome.map_err(|error: LocksError| chain(&error))?;
    if arguments.json {
        print(&escape::json(&format!("{:#}\n", outcome.to_json())))?;
    } else {
        print(&escape::text(&outcome.to_text()))?;
    }
    Ok(ExitCode::from(outcome.status()))
}

/// An error and what caused it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text = format!("{text}: {source}");
        cause = source.source();
    }
    text
}
