//! What is wrong between a service and those that are deployed.

use std::collections::BTreeMap;

use events_core::Fault;
use events_core::company::{Finding, Limits, Severity};
use events_core::manifest::Manifest;

use super::Deployed;
use crate::owners::Found;

/// The one finding that keeps a strict service from starting: two services would each take the other's commands.
const OWNER: &str = "command-owner";

impl Deployed {
    /// What it means that `manifest` is deployed here: faults, warnings, and what is not known.
    pub(crate) fn judge(&self, manifest: &Manifest) -> Found {
        let mut found = Found {
            notes: self.notes.clone(),
            ..Found::default()
        };
        for finding in self.findings(manifest) {
            match finding.severity {
                Severity::Error => found.faults.push(finding.fault),
                Severity::Warning => found.warnings.push(finding.fault),
                Severity::Note => found.notes.push(finding.fault),
            }
        }
        found.warnings.extend(self.unlinked(manifest));
        found
    }

    /// Faults that keep a strict service from starting. Whatever else is wrong is logged: services that are deployed one after
    /// the other do not agree at every moment.
    pub(crate) fn faults(&self, manifest: &Manifest) -> Vec<Fault> {
        let service = &manifest.service;
        for note in &self.notes {
            tracing::info!(
                service,
                code = note.code,
                "{}; {}",
                note.message,
                note.remedy
            );
        }
        for gone in self.unlinked(manifest) {
            warn(service, &gone);
        }
        let mut faults = Vec::new();
        for Finding {
            severity, fault, ..
        } in self.findings(manifest)
        {
            match severity {
                Severity::Error if fault.code == OWNER => faults.push(fault),
                Severity::Error => warn(service, &fault),
                // `check --broker` tells.
                Severity::Warning | Severity::Note => {}
            }
        }
        faults
    }

    /// Crates of which the service had handlers when it last ran, and has none now. That is no fault: whoever goes back to an
    /// older build must not be kept from it.
    fn unlinked(&self, manifest: &Manifest) -> Vec<Fault> {
        let mut deployed = self.manifests().iter();
        let Some(before) = deployed.find(|before| before.service == manifest.service) else {
            return Vec::new();
        };
        let mut gone: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for entry in &before.handlers {
            let linked = manifest
                .handlers
                .iter()
                .any(|now| now.package == entry.package);
            if !linked && !entry.package.is_empty() {
                gone.entry(&entry.package).or_default().push(&entry.handler);
            }
        }
        let fault = |(package, handlers): (&str, Vec<&str>)| {
            Fault::new(
                "crate-unlinked",
                format!(
                    "`{}` ran {} of the crate `{package}` before, and has no handler of it now: what they took is skipped",
                    manifest.service,
                    handlers.join(", ")
                ),
                format!(
                    "if they are not removed on purpose, name the crate where `main` stands: events_kafka::link!({});",
                    package.replace('-', "_")
                ),
            )
        };
        gone.into_iter().map(fault).collect()
    }

    fn findings(&self, manifest: &Manifest) -> Vec<Finding> {
        if self.manifests().is_empty() {
            return Vec::new();
        }
        let mut findings = self.company.deploy(manifest, &Limits::default());
        for finding in &mut findings {
            if finding.fault.code == OWNER {
                finding.fault.remedy.push_str(
                    "; a service that is not deployed any more is let go of by: manifest --withdraw '<service>'",
                );
            }
        }
        findings
    }
}

pub(super) fn warn(service: &str, fault: &Fault) {
    tracing::warn!(
        service,
        code = fault.code,
        "{}; {}",
        fault.message,
        fault.remedy
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployed(text: &str) -> Deployed {
        let mut deployed = Deployed::default();
        deployed.records.insert("shop".into(), text.into());
        deployed.understand();
        assert!(deployed.notes.is_empty(), "{:?}", deployed.notes);
        deployed
    }

    fn shop(handlers: &[(&str, &str)]) -> String {
        let handlers: Vec<_> = handlers
            .iter()
            .map(|(handler, package)| serde_json::json!({ "handler": handler, "crate": package }))
            .collect();
        serde_json::json!({ "manifest": 1, "service": "shop", "handlers": handlers }).to_string()
    }

    #[test]
    fn a_crate_that_is_not_linked_any_more_is_named() {
        let all = [
            ("bill", "shop-billing"),
            ("remind", "shop-billing"),
            ("pack", "shop"),
        ];
        let before = deployed(&shop(&all));
        let now = |handlers| {
            let text = shop(handlers);
            let manifests = Manifest::read("now", text.as_bytes()).unwrap();
            before.judge(&manifests[0]).warnings
        };
        assert_eq!(now(&all), []);
        assert_eq!(now(&all[1..]), [], "one handler may be removed");
        let [fault] = &*now(&all[2..]) else {
            panic!("a crate is gone")
        };
        assert_eq!(fault.code, "crate-unlinked");
        assert!(
            fault
                .message
                .contains("bill, remind of the crate `shop-billing`"),
            "{fault:?}"
        );
        assert!(fault.remedy.contains("link!(shop_billing)"), "{fault:?}");
    }
}
