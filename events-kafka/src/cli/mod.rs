//! The command line of a service: `run`, `handlers`, `topology`, `manifest`, `check`, `contracts`, `publish`,
//! `dead-letters`, `parked`, `skip-batch`, and what running services are asked.

mod arguments;
mod asking;
mod audit;
mod bytes;
mod check;
mod consent;
mod contracts;
mod fit;
mod handlers;
mod headers;
mod lag;
mod letters;
mod manifest;
mod moment;
mod output;
mod parked;
mod payload;
mod place;
mod publish;
mod rights;
mod run;
mod signals;
mod site;
mod skip_batch;
mod status;
mod topology;

use std::ffi::OsString;

use events_core::{Error, Result};

use arguments::{Arguments, Command};
use site::Site;

use crate::services::Services;

pub(crate) fn is_command(word: &str) -> bool {
    arguments::is_command(word)
}

/// Ends the process with status 1, and says why: without a backtrace, which tells a user nothing.
pub(crate) fn fail(error: &Error) -> ! {
    output::complain(&format!("error: {error:#}"));
    std::process::exit(1)
}

/// Does what the arguments say.
pub(crate) async fn run(
    services: Services,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<()> {
    let Arguments {
        command,
        embedded,
        json,
    } = Arguments::read(arguments);
    output::set_up_log();
    let services = if embedded {
        services.embedded()
    } else {
        services
    };
    match command.unwrap_or(Command::Run {
        services: Vec::new(),
        status_address: None,
        start_timeout: None,
    }) {
        Command::Run {
            services: names,
            status_address,
            start_timeout,
        } => {
            let services = match status_address {
                Some(address) => services.status_address(address),
                None => services,
            };
            let services = match start_timeout {
                Some(limit) => services.start_timeout(limit),
                None => services,
            };
            run::run(services, &names, json).await
        }
        Command::Status { running } => status::show(&running.address, json).await,
        Command::Lag { address } => lag::show(services, address.as_deref(), json).await,
        Command::Pause {
            handler,
            by,
            running,
        } => asking::tell(&running.address, &handler, "pause", &by.now()).await,
        Command::Resume {
            handler,
            by,
            running,
        } => asking::tell(&running.address, &handler, "resume", &by.now()).await,
        Command::Handlers => handlers::show(&services, json),
        Command::Topology { format, release } => topology::show(&services, format, &release, json),
        Command::Manifest(arguments) => manifest::run(services, arguments, json).await,
        Command::Check {
            acls: true,
            principal,
            ..
        } => rights::show(services, principal.as_deref(), json),
        Command::Check { broker, .. } => check::check(services, broker, json).await,
        Command::Contracts { command } => contracts::run(&services, &command, json),
        Command::Publish {
            event,
            payload,
            source,
            correlation_id,
        } => {
            let request = publish::Request {
                event,
                payload,
                source,
                correlation_id,
            };
            publish::publish(&services, request, json).await
        }
        Command::DeadLetters { command } => {
            letters::run(Site::open(services)?, command, json).await
        }
        Command::SkipBatch(asked) => {
            skip_batch::skip_batch(&Site::open(services)?, asked, json).await
        }
        Command::Parked { command } => parked::run(Site::open(services)?, command, json).await,
    }
}
