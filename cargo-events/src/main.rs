//! `cargo events graph *.json`: the company's graph, joined from the manifests of its services, and what is wrong
//! between them. `cargo events contracts`: the contract locks of a workspace.

#![forbid(unsafe_code)]

mod arguments;
mod contracts;
mod linking;
mod manifest;
mod report;

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;
use events_core::company::{Company, Limits, Severity};
use events_core::escape;
use events_core::manifest::Manifest;
use events_docs::{Picture, asyncapi};

use arguments::{Arguments, Command, Format, GraphArguments};

fn main() -> ExitCode {
    let done = match Arguments::parse_from(arguments::words()).command {
        Command::Graph(arguments) => graph(&arguments),
        Command::Contracts(arguments) => contracts::run(&arguments),
    };
    done.unwrap_or_else(|error| {
        report::complain(&format!("error: {error}"));
        ExitCode::from(2)
    })
}

fn graph(arguments: &GraphArguments) -> Result<ExitCode, String> {
    let company = read(&arguments.manifests)?;
    let limits = Limits {
        fan_out: arguments.fan_out,
        entries: arguments.entry.iter().cloned().collect(),
        partial: arguments.partial,
    };
    let mut findings = company.check(&limits);
    if !arguments.baseline.is_empty() {
        findings.extend(company.changes(&read(&arguments.baseline)?));
        findings.sort_by_key(|finding| finding.severity);
    }
    let graph = company.graph();
    let shown = match arguments.format {
        Format::Text => graph.to_text(),
        Format::Mermaid => graph.to_mermaid(),
        Format::Dot => graph.to_dot(),
        Format::Svg => Picture::of(&company, &findings).to_svg(),
        Format::Html => Picture::of(&company, &findings).to_html(),
        Format::Asyncapi => {
            let document = asyncapi::document(&company, &arguments.release);
            format!("{document:#}\n")
        }
        Format::Json => report::json(&company, &findings),
        Format::Sarif => report::sarif(&findings),
        Format::Github => report::github(&findings),
    };
    // What is drawn for a tool is escaped as the tool's language asks. The commands of GitHub are meant to be obeyed.
    print(&match arguments.format {
        Format::Text => escape::text(&shown),
        Format::Json | Format::Sarif | Format::Asyncapi => escape::json(&shown),
        _ => shown.into(),
    })?;
    if !matches!(
        arguments.format,
        Format::Json | Format::Sarif | Format::Github
    ) {
        // The graph goes to a file or a drawing tool; what is wrong goes to a person.
        for finding in &findings {
            report::complain(&finding.to_string());
        }
    }
    let failing = |severity| match severity {
        Severity::Error => true,
        Severity::Warning => arguments.deny_warnings,
        Severity::Note => false,
    };
    let failed = findings.iter().any(|finding| failing(finding.severity));
    Ok(ExitCode::from(u8::from(failed)))
}

fn read(files: &[PathBuf]) -> Result<Company, String> {
    let (mut manifests, mut faults) = (Vec::new(), Vec::new());
    for file in files {
        let name = file.display().to_string();
        match fs::read(file) {
            Ok(bytes) => match Manifest::read(&name, &bytes) {
                Ok(found) => manifests.extend(found),
                Err(error) => faults.push(escape::line(&error.to_string()).into_owned()),
            },
            Err(error) => faults.push(format!(
                "cannot read {name}: {error}; a service's `manifest --directory` writes one"
            )),
        }
    }
    if faults.is_empty() {
        return Ok(Company::join(manifests));
    }
    Err(faults.join("\nerror: "))
}

/// A reader that has gone away, such as `head`, is no failure.
fn print(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| format!("cannot print: {error}")),
    }
}
