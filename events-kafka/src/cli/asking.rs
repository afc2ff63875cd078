//! Asks the endpoint of a running service.

#[cfg(feature = "status")]
use events_core::Error;
use events_core::Result;
#[cfg(feature = "status")]
use events_runtime::Status;
use serde_json::Value;

/// Where a running service is looked for that no address is given of.
pub(super) const ADDRESS: &str = "127.0.0.1:9464";

/// The status of every service that the endpoint answers for, as it says it.
#[cfg(feature = "status")]
pub(super) async fn raw(address: &str) -> Result<Value> {
    let at = events_status::parse_address(address)?;
    let answer = events_status::get(at, "/status").await?;
    if answer.status != 200 {
        let text = answer.body.trim();
        return Err(Error::msg(format!(
            "{at} answers {}: {text}",
            answer.status
        )));
    }
    serde_json::from_str(&answer.body)
        .map_err(|error| Error::msg(format!("{at} is no status endpoint: {error}")))
}

/// The same, understood.
#[cfg(feature = "status")]
pub(super) fn read(raw: Value) -> Result<Vec<Status>> {
    serde_json::from_value(raw).map_err(|error| {
        Error::msg(format!(
            "the running service is of another version ({error}); --json prints what it says"
        ))
    })
}

/// Tells one handler, `handler` or `service/handler`, of whichever service there has it, to `pause` or `resume`.
#[cfg(feature = "status")]
pub(super) async fn tell(address: &str, handler: &str, what: &str) -> Result<()> {
    let at = events_status::parse_address(address)?;
    let found: Vec<_> = read(raw(address).await?)?
        .into_iter()
        .flat_map(|status| status.handlers)
        .map(|known| known.handler)
        .collect();
    let meant = |known: &&String| {
        *known == handler
            || known
                .rsplit_once('/')
                .is_some_and(|(_, name)| name == handler)
    };
    let names: Vec<_> = found.iter().filter(meant).collect();
    let name = match names[..] {
        [name] => name,
        [] => {
            return Err(Error::msg(format!(
                "no handler `{handler}` runs at {at}; these do: {}",
                found.join(", ")
            )));
        }
        _ => {
            return Err(Error::msg(format!(
                "several services at {at} have a handler `{handler}`: name one as service/{handler}"
            )));
        }
    };
    let answer = events_status::post(at, &format!("/handlers/{name}/{what}")).await?;
    match answer.status {
        200 => super::output::print(&format!("{name}: {what}d")),
        _ => Err(Error::msg(answer.body.trim().to_owned())),
    }
}

#[cfg(not(feature = "status"))]
mod without {
    use events_core::{Error, Result};
    use events_runtime::Status;
    use serde_json::Value;

    const REMEDY: &str =
        "this build has no status endpoint: build events-kafka with its feature `status`";

    pub(crate) async fn raw(_: &str) -> Result<Value> {
        Err(Error::msg(REMEDY))
    }

    pub(crate) fn read(_: Value) -> Result<Vec<Status>> {
        Err(Error::msg(REMEDY))
    }

    pub(crate) async fn tell(_: &str, _: &str, _: &str) -> Result<()> {
        Err(Error::msg(REMEDY))
    }
}

#[cfg(not(feature = "status"))]
pub(super) use without::{raw, read, tell};
