//! `check`: every fault at once, and warnings beside them.

use events_core::{Error, Fault, Result};
use events_runtime::{Faults, MemoryBound};
use serde_json::json;

use super::output::{print, print_json};
use crate::error::KafkaError;
use crate::services::Services;

pub(super) async fn check(services: Services, broker: bool, json: bool) -> Result<()> {
    let list: Vec<_> = services.names().into_iter().map(str::to_owned).collect();
    let names = list.join(", ");
    let mut faults = services
        .check()
        .err()
        .map(|faults| faults.faults)
        .unwrap_or_default();
    let runtimes = services.runtimes();
    let (mut warnings, mut notes, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for runtime in runtimes {
        add(&mut warnings, runtime.warnings());
        let bound = MemoryBound::of(runtime.current_settings(), 1);
        memory.push((runtime.name().to_owned(), bound));
    }
    if broker
        && runtimes
            .iter()
            .any(|runtime| runtime.current_client().is_embedded())
    {
        faults.push(Fault::new(
            "no-address",
            "there is no cluster to ask: no address is set, and the embedded cluster has no topics before a service runs",
            "set KAFKA_BOOTSTRAP_SERVERS",
        ));
    }
    if broker && faults.is_empty() {
        for (runtime, (_, bound)) in services.into_runtimes().into_iter().zip(&mut memory) {
            let settings = runtime.current_settings().clone();
            match runtime.examine().await {
                Ok(found) => {
                    add(&mut faults, found.faults);
                    add(&mut warnings, found.warnings);
                    add(&mut notes, found.notes);
                    if let Some(partitions) = found.partitions {
                        *bound = MemoryBound::of(&settings, partitions);
                    }
                }
                Err(KafkaError::Faults(found)) => add(&mut faults, found.faults),
                Err(error) => return Err(error.into()),
            }
        }
    }
    let count = faults.len();
    if json {
        let bounds: Vec<_> = memory.iter().map(|(service, bound)| json!({ "service": service, "lanes": bound.lanes, "bytes": bound.total() })).collect();
        print_json(
            &json!({ "services": list, "broker": broker, "faults": faults, "warnings": warnings, "notes": notes, "memory": bounds }),
        )?;
    } else if count == 0 {
        print(&format!("{names}: no faults"))?;
    } else {
        print(&Faults::new(names, faults).to_string())?;
    }
    if !json {
        for warning in warnings {
            print(&format!("warning: [{}] {warning}", warning.code))?;
        }
        for note in notes {
            print(&format!("note: [{}] {note}", note.code))?;
        }
        for (service, bound) in memory {
            print(&format!("memory: {service}: {bound}"))?;
        }
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
