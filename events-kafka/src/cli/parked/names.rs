//! Names of the headers of facts in a parked log.

pub(in crate::cli) use events_runtime::parked_header::*;

use crate::cli::audit::AuditHeaders;

/// Who acted, why and when.
pub(in crate::cli) const AUDIT: AuditHeaders = AuditHeaders {
    actor: ACTOR,
    reason: REASON,
    time: TIME,
};
