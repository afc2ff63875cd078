//! What it means that a service is deployed among those that are there already.

use super::{Company, Finding, Limits};
use crate::manifest::Manifest;

impl Company {
    /// What it means for these services, as they are deployed, that `manifest` takes the place of its service's: what is
    /// wrong between it and the others, and what its change does to them, the worst first.
    ///
    /// What is wrong without it is left out: it is not this service's to put right. Services are deployed one after the
    /// other, so what nobody does yet is a warning ([`Limits::partial`]).
    pub fn deploy(&self, manifest: &Manifest, limits: &Limits) -> Vec<Finding> {
        let limits = Limits {
            partial: true,
            ..limits.clone()
        };
        let others = self.manifests.iter();
        let others = others.filter(|known| known.service != manifest.service);
        let without = Self::join(others.cloned());
        let known = without.check(&limits);
        // The others are moved: a company's schemas are large, and every start comes here.
        let with = Self::join(without.manifests.into_iter().chain([manifest.clone()]));
        let mut findings = with.check(&limits);
        findings.retain(|finding| !known.contains(finding));
        findings.extend(with.changes(self));
        findings.sort_by_key(|finding| finding.severity);
        findings
    }
}
