//! How the workers of a scenario are members of their group.

use std::time::Duration;

/// How the workers of a scenario are members of their group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Membership {
    /// The classic protocol, with a member id that the coordinator makes.
    #[default]
    Classic,
    /// The classic protocol, with a `group.instance.id` that a worker inherits from a dead one.
    Static,
    /// The protocol of KIP-848.
    Consumer,
    /// The protocol of KIP-848, with a `group.instance.id`.
    StaticConsumer,
}

impl Membership {
    pub(crate) fn is_static(self) -> bool {
        matches!(self, Self::Static | Self::StaticConsumer)
    }

    /// The variables of the environment that make a worker such a member, but for its instance id.
    pub(crate) fn variables(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Classic | Self::Static => &[],
            Self::Consumer | Self::StaticConsumer => &[("KAFKA_GROUP_PROTOCOL", "consumer")],
        }
    }

    /// How long a member is stopped so that its session ends meanwhile, and others take over: sessions
    /// are six seconds long under the classic protocol, and ten under that of KIP-848.
    pub(crate) fn past_its_session(self) -> Duration {
        Duration::from_secs(match self {
            Self::Classic | Self::Static => 9,
            Self::Consumer | Self::StaticConsumer => 14,
        })
    }
}
