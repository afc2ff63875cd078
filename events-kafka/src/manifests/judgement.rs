//! What is wrong between a service and those that are deployed.

use events_core::Fault;
use events_core::company::{Finding, Limits, Severity};
use events_core::manifest::Manifest;

use super::Deployed;
use crate::owners::Found;

/// The one finding that keeps a service from starting: two services would each take the other's commands.
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
        found
    }

    /// Faults that keep the service from starting. Whatever else is wrong is logged: services that are deployed one after
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
        let mut faults = Vec::new();
        for Finding {
            severity, fault, ..
        } in self.findings(manifest)
        {
            match severity {
                Severity::Error if fault.code == OWNER => faults.push(fault),
                Severity::Error => {
                    tracing::warn!(
                        service,
                        code = fault.code,
                        "{}; {}",
                        fault.message,
                        fault.remedy
                    );
                }
                // `check --broker` tells.
                Severity::Warning | Severity::Note => {}
            }
        }
        faults
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
