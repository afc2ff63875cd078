//! `check --acls`: the least rights that services need.

use events_core::Result;
use serde_json::json;

use super::output::{print, print_json};
use crate::rights::Right;
use crate::services::Services;

/// What a line for kafka-acls.sh names while no cluster is known.
const ADDRESS: &str = "$KAFKA_BOOTSTRAP_SERVERS";

/// What the right to see all groups is for.
const SEES_OWNERS: &str = "with it the start sees whether another service handles its commands";
/// What the right to the topic of manifests is for.
const MANIFESTS: &str =
    "with it services check against each other: .publish_manifest(false) goes without";

/// What the right to read dead letters is for.
const LETTERS: &str = "with it `dead-letters` lists, shows and redrives what was given up";

pub(super) fn show(services: Services, principal: Option<&str>, json: bool) -> Result<()> {
    let mut all = Vec::new();
    let mut lines = Vec::new();
    for runtime in services.into_runtimes() {
        let service = runtime.name().to_owned();
        let client = runtime.current_client();
        let principal = principal.map_or_else(|| client.principal(&service), str::to_owned);
        let address = client.address().map(str::to_owned);
        let rights = runtime.rights()?;
        let letters = rights.letters.into_iter().map(|right| (right, LETTERS));
        let optional = [
            (rights.sees_owners, SEES_OWNERS),
            (rights.manifests, MANIFESTS),
        ];
        let optional = optional.into_iter();
        let optional = optional.filter_map(|(right, what)| Some((right?, what)));
        let optional: Vec<_> = optional.chain(letters).collect();
        let rights = rights.needed;
        let command =
            |right: &Right| right.command(address.as_deref().unwrap_or(ADDRESS), &principal);
        lines.push(format!("# {service}"));
        lines.extend(rights.iter().map(command));
        for (right, what) in &optional {
            lines.push(format!("# {service}, not needed to run: {what}"));
            lines.push(command(right));
        }
        let mut entry = json!({ "service": service, "principal": principal, "rights": rights });
        if !optional.is_empty() {
            let optional = optional.into_iter();
            let optional = optional.map(|(right, what)| json!({ "right": right, "for": what }));
            entry["optional"] = optional.collect();
        }
        all.push(entry);
    }
    if json {
        return print_json(&all);
    }
    print(&lines.join("\n"))
}
