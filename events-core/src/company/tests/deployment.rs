//! Services that are deployed one after the other.

use super::*;

#[test]
fn with_services_missing_what_nobody_does_is_a_warning() {
    let mut manifests = shop();
    manifests[0].publishes.clear();
    manifests[0]
        .handlers
        .retain(|handler| handler.handler != "refuse");
    let mut ship = service("yard", &[], &["load: Load"]);
    entry(&mut ship, "Load").owner = Some("dock".to_owned());
    manifests.push(ship);
    let company = Company::join(manifests);
    let partial = Limits {
        partial: true,
        entries: BTreeSet::from(["Load".to_owned()]),
        ..Limits::default()
    };
    let found: Vec<_> = company
        .check(&partial)
        .into_iter()
        .map(|finding| (finding.severity, finding.fault.code))
        .collect();
    use Severity::{Error, Warning};
    assert_eq!(
        found,
        [
            // Somebody handles it who must not: that is no absence.
            (Error, "command-owner"),
            (Warning, "unhandled-failure"),
            (Warning, "command-unhandled"),
            (Warning, "unfed-handler"),
        ]
    );
}

#[test]
fn a_deployment_is_told_what_it_brings_and_nothing_else() {
    // Something is wrong already: nobody publishes what `mail/send` waits for.
    let mut there = shop();
    there.push(service("mail", &[], &["send: Written"]));
    let company = Company::join(there);
    let limits = Limits::default();
    let codes = |manifest: &Manifest| -> Vec<_> {
        let findings = company.deploy(manifest, &limits).into_iter();
        findings
            .map(|finding| (finding.severity, finding.fault.code))
            .collect()
    };
    // The same build once more.
    assert_eq!(codes(&shop()[2]), []);

    // Without the event that another service waits for.
    let removed = service("payments", &[], &["capture: Placed -> !Declined"]);
    let findings = company.deploy(&removed, &limits);
    let breaks = findings
        .iter()
        .find(|finding| finding.fault.code == "removal-breaks-reader")
        .expect("it is told");
    assert_eq!(breaks.handler.as_deref(), Some("shipping/ship"));

    // A new service that waits on another topic than is written to, and for what nobody publishes yet.
    let mut stock = service("stock", &[], &["reserve: Captured", "count: Counted"]);
    entry(&mut stock, "Captured").topic = "elsewhere".to_owned();
    assert_eq!(
        codes(&stock),
        [
            (Severity::Error, "different-topics"),
            (Severity::Warning, "unfed-handler")
        ]
    );
}
