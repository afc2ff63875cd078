//! The fatal errors of a consumer.
//!
//! The client raises them for what it cannot heal by joining again. From then on it assigns,
//! fetches and commits nothing, takes its partitions away *without* the callback, and only a new
//! consumer can join. These are all of them in its source (2.12; `rd_kafka_set_fatal_error` of its
//! group handling and of its answers to commits):
//!
//! | error | answers which request | a new consumer |
//! |---|---|---|
//! | `FENCED_INSTANCE_ID` | JoinGroup, SyncGroup, Heartbeat, OffsetCommit | takes the instance id from the process that has it now, which is then fenced in turn: not made |
//! | `UNRELEASED_INSTANCE_ID` | ConsumerGroupHeartbeat | joins once the broker has forgotten the member that has the instance id, or that one has left |
//! | `GROUP_AUTHORIZATION_FAILED` | ConsumerGroupHeartbeat | joins once the right is back |
//! | `GROUP_MAX_SIZE_REACHED` | ConsumerGroupHeartbeat | joins once a member has left |
//! | `UNSUPPORTED_ASSIGNOR` | ConsumerGroupHeartbeat | joins once the brokers know `group.remote.assignor` |
//! | `UNSUPPORTED_VERSION`, `_UNSUPPORTED_FEATURE` | ConsumerGroupHeartbeat | joins once the brokers know the protocol: a cluster may be half upgraded |
//! | `INVALID_REQUEST` | ConsumerGroupHeartbeat | joins if the broker was at fault; otherwise the member stays unhealthy and says why |
//!
//! With the classic protocol the client does not call the others fatal: it goes on asking, as
//! `refusal` says.

use rdkafka::error::RDKafkaErrorCode;

/// How a member goes on whose consumer has raised a fatal error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recovery {
    /// Another process has its place in the group: it does not join again.
    None,
    /// A new consumer may join.
    NewConsumer,
}

/// How to go on, and what an operator is told of it.
pub(super) fn recovery(code: RDKafkaErrorCode, instance: Option<&str>) -> (Recovery, String) {
    use RDKafkaErrorCode as Code;
    let instance = instance.unwrap_or_default();
    let remedy = match code {
        Code::FencedInstanceId => {
            let remedy = format!(
                "another process joined as group.instance.id `{instance}`, so this one gave its partitions up and does not join again: stop one of the two, or give each process an instance id of its own, and restart"
            );
            return (Recovery::None, remedy);
        }
        Code::UnreleasedInstanceId => format!(
            "another member has the group.instance.id `{instance}`: this one joins once that member has left or its session has ended; if both are to run, give each process an instance id of its own"
        ),
        Code::GroupAuthorizationFailed => {
            "this user must be allowed to Read the consumer group: grant it as `check --acls` says"
                .to_owned()
        }
        Code::GroupMaxSizeReached => {
            "the group is full: run fewer members, or raise group.consumer.max.size of the brokers"
                .to_owned()
        }
        Code::UnsupportedAssignor => {
            "the brokers do not know group.remote.assignor: unset it, or add it to group.consumer.assignors of the brokers".to_owned()
        }
        Code::UnsupportedVersion | Code::UnsupportedFeature => {
            "the brokers do not know the group protocol `consumer`: use `classic` with brokers before 4.0".to_owned()
        }
        _ => "see the broker's log for what it refuses".to_owned(),
    };
    (
        Recovery::NewConsumer,
        format!("{remedy}; a new consumer tries to join"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Joining again as a fenced member would fence the process that has its place, and so on for
    /// ever.
    #[test]
    fn only_a_fenced_member_does_not_join_again() {
        use RDKafkaErrorCode as Code;
        let (fenced, remedy) = recovery(Code::FencedInstanceId, Some("pod-0"));
        assert_eq!(fenced, Recovery::None);
        assert!(remedy.contains("group.instance.id `pod-0`"), "{remedy}");
        for (code, words) in [
            (
                Code::UnreleasedInstanceId,
                "group.instance.id `pod-0`: this one joins once",
            ),
            (Code::GroupAuthorizationFailed, "`check --acls`"),
            (Code::GroupMaxSizeReached, "group.consumer.max.size"),
            (Code::UnsupportedAssignor, "group.consumer.assignors"),
            (Code::UnsupportedVersion, "`classic`"),
            (Code::UnsupportedFeature, "`classic`"),
            (Code::InvalidRequest, "the broker's log"),
        ] {
            let (recovery, remedy) = recovery(code, Some("pod-0"));
            assert_eq!(recovery, Recovery::NewConsumer, "{code:?}");
            assert!(remedy.contains(words), "{code:?}: {remedy}");
        }
    }
}
