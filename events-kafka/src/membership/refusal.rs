//! Answers of a coordinator by which it refuses a member that goes on asking.

use rdkafka::error::RDKafkaErrorCode;

/// What an operator can do about it; none if the error is not one of the member's place in its
/// group.
///
/// Errors that heal within a rebalance (`REBALANCE_IN_PROGRESS`, `UNKNOWN_MEMBER_ID`,
/// `ILLEGAL_GENERATION`) are not among them: the client joins again by itself. That a coordinator
/// is not available or loads its state the client keeps to itself; the member then has no
/// assignment, which is said after a while.
pub(super) fn remedy(code: RDKafkaErrorCode) -> Option<&'static str> {
    use RDKafkaErrorCode as Code;
    Some(match code {
        Code::InconsistentGroupProtocol | Code::UnknownProtocol => {
            "other members of the group use another assignor than cooperative-sticky, or are no consumers: stop them, or give this service a name of its own; it joins once they have left"
        }
        Code::GroupAuthorizationFailed => {
            "this user must be allowed to Read the consumer group: grant it as `check --acls` says"
        }
        Code::InvalidSessionTimeout => {
            "the session timeout is not one that the brokers allow: set session.timeout.ms between their group.min.session.timeout.ms and group.max.session.timeout.ms"
        }
        Code::GroupMaxSizeReached => {
            "the group is full: run fewer members, or raise group.max.size of the brokers"
        }
        Code::InvalidGroupId => "the broker takes no group of this name: rename the service",
        Code::CoordinatorNotAvailable | Code::NotCoordinator | Code::CoordinatorLoadInProgress => {
            "the coordinator is not available: see whether the partitions of __consumer_offsets have leaders"
        }
        _ => return None,
    })
}
