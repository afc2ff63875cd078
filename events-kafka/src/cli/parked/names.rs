//! Names of the headers of facts in a parked log.

use crate::cli::audit::AuditHeaders;

pub(in crate::cli) const FACT: &str = "pk_fact";
pub(in crate::cli) const TOKEN: &str = "pk_token";
pub(in crate::cli) const GENERATION: &str = "pk_generation";
pub(in crate::cli) const HANDLER: &str = "pk_handler";
pub(in crate::cli) const TOPIC: &str = "pk_topic";
pub(in crate::cli) const PARTITION: &str = "pk_partition";
pub(in crate::cli) const OFFSET: &str = "pk_offset";
pub(in crate::cli) const ATTEMPTS: &str = "pk_attempts";
pub(in crate::cli) const NEXT: &str = "pk_next";
pub(in crate::cli) const SINCE: &str = "pk_since";
pub(in crate::cli) const ERROR: &str = "pk_error";
pub(in crate::cli) const CODE: &str = "pk_code";
pub(in crate::cli) const REDRIVE: &str = "pk_redrive";
pub(in crate::cli) const ACTION: &str = "pk_action";
pub(in crate::cli) const REASON: &str = "pk_reason";
pub(in crate::cli) const ACTOR: &str = "pk_actor";
pub(in crate::cli) const TIME: &str = "pk_time";
pub(in crate::cli) const AT: &str = "pk_at";

/// Who acted, why and when.
pub(in crate::cli) const AUDIT: AuditHeaders = AuditHeaders {
    actor: ACTOR,
    reason: REASON,
    time: TIME,
};
