//! `check`: every fault at once.

use events_core::{Error, Fault, Result};
use events_runtime::Faults;
use serde_json::json;

use super::output::{print, print_json};
use crate::error::KafkaError;
use crate::services::Services;

pub(super) async fn check(services: Services, broker: bool, json: bool) -> Result<()> {
    let names = services.names().join(", ");
    let mut faults = services
        .check()
        .err()
        .map(|faults| faults.faults)
        .unwrap_or_default();
    if broker && faults.is_empty() {
        for runtime in services.into_runtimes() {
            match runtime.check_broker().await {
                Ok(()) => {}
                Err(KafkaError::Faults(found)) => add(&mut faults, found.faults),
                Err(error) => return Err(error.into()),
            }
        }
    }
    let count = faults.len();
    if json {
        print_json(&json!({ "services": names, "broker": broker, "faults": faults }))?;
    } else if count == 0 {
        print(&format!("{names}: no faults"))?;
    } else {
        print(&Faults::new(names, faults).to_string())?;
    }
    match count {
        0 => Ok(()),
        1 => Err(Error::msg("1 fault")),
        _ => Err(Error::msg(format!("{count} faults"))),
    }
}

fn add(all: &mut Vec<Fault>, found: Vec<Fault>) {
    for fault in found {
        if !all.contains(&fault) {
            all.push(fault);
        }
    }
}
