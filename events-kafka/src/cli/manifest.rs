//! `manifest`: what each service is, as data.

use std::path::Path;

use events_core::manifest::{Manifest, Publication};
use events_core::{Error, Registry, Result, escape};
use events_runtime::Service;
use serde_json::json;

use super::arguments::ManifestArguments;
use super::audit::confirm;
use super::output::{print, print_document, print_json};
use super::site::Site;
use crate::manifests::{self, Deployed, TOPIC};
use crate::services::Services;

pub(super) async fn run(
    services: Services,
    arguments: ManifestArguments,
    json: bool,
) -> Result<()> {
    let directory = arguments.directory.as_deref();
    match arguments.withdraw {
        Some(service) => withdraw(&Site::open(services)?, &service, arguments.yes, json).await,
        None if arguments.published => {
            let deployed = deployed(&Site::open(services)?).await?;
            show(deployed.manifests(), directory)
        }
        None => match (of(&services).as_slice(), directory) {
            // A service alone is an object; files hold objects anyway.
            ([one], None) => print_document(&escape::json(&one.to_json())),
            (several, _) => show(several, directory),
        },
    }
}

fn show(manifests: &[Manifest], directory: Option<&Path>) -> Result<()> {
    match directory {
        Some(directory) => manifests
            .iter()
            .try_for_each(|manifest| write(directory, manifest)),
        None => print_json(&manifests),
    }
}

async fn deployed(site: &Site) -> Result<Deployed> {
    let group = site
        .groups
        .first()
        .map_or("manifests", |group| &group.plan.group);
    let deployed = Deployed::read(&site.client, group).await?;
    for note in deployed.notes() {
        tracing::warn!(code = note.code, "{}; {}", note.message, note.remedy);
    }
    Ok(deployed)
}

/// Lets go of a service that is not deployed any more.
async fn withdraw(site: &Site, service: &str, yes: bool, json: bool) -> Result<()> {
    let deployed = deployed(site).await?;
    if !deployed.knows(service) {
        let known: Vec<_> = deployed.services().collect();
        return Err(Error::msg(format!(
            "`{TOPIC}` has no manifest of `{service}`; it has {}",
            if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            }
        )));
    }
    confirm(
        &format!("Does no process of `{service}` run any more? Then take its manifest away?"),
        yes,
    )?;
    let writer = site.writer()?;
    let record = manifests::record(service, None);
    writer.append("the withdrawal", &record).await?.await?;
    writer.close().await;
    if json {
        return print_json(&json!({ "action": "withdraw", "service": service }));
    }
    print(&format!(
        "`{service}` is not among the deployed services any more; a start of it publishes it again"
    ))
}

/// The services of this binary as they would run, and those that only publish.
fn of(services: &Services) -> Vec<Manifest> {
    let publications = Publication::linked();
    let runtimes = services.runtimes().iter();
    let mut manifests: Vec<_> = runtimes.map(|runtime| runtime.manifest()).collect();
    let registry = registry(services);
    for publication in &publications {
        let Some(service) = publication.service_in(&registry) else {
            continue;
        };
        let known = manifests.iter().any(|known| known.service == service);
        // A service with handlers that does not run here describes itself where it does.
        if !known && registry.handlers_of(service).is_empty() {
            manifests.push(Manifest::of(&registry, &publications, service, |_| None));
        }
    }
    manifests
}

/// All that is linked, whether it runs here or not: what `topology` draws.
pub(super) fn linked(services: &Services) -> Vec<Manifest> {
    let registry = registry(services);
    let mut manifests = of(services);
    for service in registry.services() {
        if !manifests.iter().any(|known| known.service == service) {
            manifests.push(Service::with_registry(service, registry.clone()).manifest());
        }
    }
    manifests
}

/// All services of a binary see the same registry, unless one was given its own.
pub(super) fn registry(services: &Services) -> Registry {
    let first = services.runtimes().first();
    first.map_or_else(Registry::linked, |runtime| runtime.registry().clone())
}

fn write(directory: &Path, manifest: &Manifest) -> Result<()> {
    // The name may be one that was read from the cluster.
    let file = directory.join(escape::file_name(&manifest.service, "json"));
    events_locks::replace(&file, &format!("{}\n", manifest.to_json()))?;
    print(&file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_manifest_is_a_file_of_the_directory_whatever_its_service_is_called() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("in");
        let absolute = scratch.path().join("absolute");
        for service in ["../outside", absolute.to_str().unwrap(), "..", "", "shop"] {
            let text = serde_json::json!({ "manifest": 1, "service": service }).to_string();
            let manifests = Manifest::read("published", text.as_bytes()).unwrap();
            show(&manifests, Some(&directory)).unwrap();
        }
        let beside = std::fs::read_dir(scratch.path()).unwrap();
        assert_eq!(beside.count(), 1, "something was written outside");
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 5);
        assert!(directory.join("shop.json").is_file());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_directory_is_not_followed() {
        let scratch = tempfile::tempdir().unwrap();
        let (directory, kept) = (scratch.path().join("in"), scratch.path().join("kept"));
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(&kept, "kept").unwrap();
        std::os::unix::fs::symlink(&kept, directory.join("shop.json")).unwrap();
        let manifests = Manifest::read("published", br#"{"manifest":1,"service":"shop"}"#).unwrap();
        let error = show(&manifests, Some(&directory)).unwrap_err();
        assert!(format!("{error:#}").contains("symbolic link"), "{error:#}");
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), "kept");
    }
}
