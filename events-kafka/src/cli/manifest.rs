//! `manifest`: what each service is, as data.

use std::fs;
use std::path::Path;

use events_core::manifest::{Manifest, Publication};
use events_core::{Error, Registry, Result};
use events_runtime::Settings;

use super::handlers::policy;
use super::output::{print, print_json};
use crate::services::Services;

pub(super) fn show(services: &Services, directory: Option<&Path>) -> Result<()> {
    let manifests = of(services);
    match (directory, manifests.as_slice()) {
        (Some(directory), _) => manifests
            .iter()
            .try_for_each(|manifest| write(directory, manifest)),
        (None, [one]) => print(&one.to_json()),
        (None, several) => print_json(&several),
    }
}

/// The services of this binary as they would run, and those that only publish.
fn of(services: &Services) -> Vec<Manifest> {
    let publications = Publication::linked();
    let mut manifests: Vec<_> = services
        .runtimes()
        .iter()
        .map(|runtime| {
            let policy = |handler: &_| Some(policy(handler, runtime.current_settings()));
            Manifest::of(runtime.registry(), &publications, runtime.name(), policy)
        })
        .collect();
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
    let (registry, publications) = (registry(services), Publication::linked());
    let mut manifests = of(services);
    for service in registry.services() {
        if !manifests.iter().any(|known| known.service == service) {
            let settings = Settings::default();
            let policy = |handler: &_| Some(policy(handler, &settings));
            manifests.push(Manifest::of(&registry, &publications, service, policy));
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
    let file = directory.join(format!("{}.json", manifest.service));
    let written = fs::create_dir_all(directory)
        .and_then(|()| fs::write(&file, format!("{}\n", manifest.to_json())));
    written.map_err(|error| Error::msg(format!("cannot write {}: {error}", file.display())))?;
    print(&file.display().to_string())
}
