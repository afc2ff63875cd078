//! Asks the endpoint of a running service.

#[cfg(feature = "status")]
use events_core::Error;
use events_core::Result;
use events_runtime::HandlerStatus;
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
pub(super) async fn tell(
    address: &str,
    handler: &str,
    what: &str,
    audit: &super::audit::Audit,
) -> Result<()> {
    let at = events_status::parse_address(address)?;
    let services = read(raw(address).await?)?;
    let found: Vec<_> = services
        .into_iter()
        .flat_map(|status| status.handlers)
        .collect();
    let meant = |known: &&HandlerStatus| {
        let name = known.handler.as_str();
        name == handler
            || name
                .rsplit_once('/')
                .is_some_and(|(_, name)| name == handler)
    };
    let named: Vec<_> = found.iter().filter(meant).collect();
    let told = match named[..] {
        [told] => told,
        [] => {
            let names: Vec<_> = found.iter().map(|known| &*known.handler).collect();
            return Err(Error::msg(format!(
                "no handler `{handler}` runs at {at}; these do: {}",
                names.join(", ")
            )));
        }
        _ => {
            return Err(Error::msg(format!(
                "several services at {at} have a handler `{handler}`: name one as service/{handler}"
            )));
        }
    };
    let name = &told.handler;
    let path = format!("/handlers/{name}/{what}");
    let token = std::env::var(crate::endpoint::TOKEN).ok();
    let answer = events_status::post(at, &path, &audit.who(), token.as_deref()).await?;
    match answer.status {
        200 => {
            let wait = company(told, &found).filter(|_| what == "pause");
            let wait = wait.map_or_else(String::new, |wait| format!("; {wait}"));
            super::output::print(&format!("{name}: {what}d{wait}"))
        }
        _ => Err(Error::msg(answer.body.trim().to_owned())),
    }
}

/// Who waits for a paused handler, if others share its group.
pub(super) fn company(paused: &HandlerStatus, all: &[HandlerStatus]) -> Option<String> {
    let others = all
        .iter()
        .filter(|other| other.group == paused.group && other.handler != paused.handler);
    let others: Vec<_> = others.map(|other| &*other.handler).collect();
    if others.is_empty() {
        return None;
    }
    Some(format!(
        "once its lanes are full, the other handlers of group `{}` wait for it: {}",
        paused.group,
        others.join(", ")
    ))
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

    pub(crate) async fn tell(
        _: &str,
        _: &str,
        _: &str,
        _: &super::super::audit::Audit,
    ) -> Result<()> {
        Err(Error::msg(REMEDY))
    }
}

#[cfg(not(feature = "status"))]
pub(super) use without::{raw, read, tell};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_shares_the_group_of_a_paused_handler_is_named() {
        let handler = |name: &str, group: &str| -> HandlerStatus {
            serde_json::from_value(serde_json::json!({
                "handler": name, "group": group, "handled": 0, "emitted": 0, "retried": 0, "parked": 0,
                "dead_lettered": 0, "overdue": 0, "duplicates": 0,
            }))
            .unwrap()
        };
        let all = [
            handler("shop/ship", "shop"),
            handler("shop/bill", "shop"),
            handler("shop/count", "counting"),
        ];
        let said = company(&all[0], &all).unwrap();
        assert!(
            said.ends_with("group `shop` wait for it: shop/bill"),
            "{said}"
        );
        assert_eq!(company(&all[2], &all), None);
    }
}
