//! A stage for each test: a service, a topic and an event type of its own, so that tests can run at the same time.

/// What a test needs to know of its stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// The service, which is the consumer group too.
    pub service: &'static str,
    /// The topic that the service reads.
    pub topic: &'static str,
    /// The event type on that topic.
    pub event: &'static str,
}

impl Stage {
    /// Where records go that the service gives up.
    pub fn dead_letters(&self) -> String {
        format!("{}.dead-letters", self.service)
    }

    /// Where keys that fail are parked.
    pub fn parked(&self) -> String {
        format!("{}.parked.{}", self.service, self.topic)
    }
}

macro_rules! stages {
    ($($(#[doc = $doc:literal])+ $stage:ident { $service:literal, $topic:literal, $event:literal })+) => {$(
        $(#[doc = $doc])+
        pub mod $stage {
            use events_kafka::event;

            /// The stage.
            pub const STAGE: super::Stage = super::Stage { service: $service, topic: $topic, event: $event };

            /// Work to be done.
            #[event(name = $event, topic = $topic, key = key)]
            pub struct Task {
                /// Tasks of one key are done in order.
                pub key: String,
            }
        }
    )+};
}

stages! {
    /// A worker is killed.
    sigkill { "e2e-sigkill", "e2e.sigkill", "SigkillTask" }
    /// Workers come and go under the classic protocol.
    rolling_classic { "e2e-rolling-classic", "e2e.rolling-classic", "RollingClassicTask" }
    /// Workers come and go under the protocol of KIP-848.
    rolling_consumer { "e2e-rolling-consumer", "e2e.rolling-consumer", "RollingConsumerTask" }
    /// A group that starts at the beginning.
    earliest { "e2e-earliest", "e2e.earliest", "EarliestTask" }
    /// A group that starts at the end.
    latest { "e2e-latest", "e2e.latest", "LatestTask" }
    /// A group that starts at a time.
    since { "e2e-since", "e2e.since", "SinceTask" }
    /// A topic that grows.
    growing { "e2e-growing", "e2e.growing", "GrowingTask" }
    /// A log that retention has cut.
    overtaken { "e2e-overtaken", "e2e.overtaken", "OvertakenTask" }
    /// A key whose records fail.
    poison { "e2e-poison", "e2e.poison", "PoisonTask" }
    /// A worker whose blocking attempt never returns.
    stuck { "e2e-stuck", "e2e.stuck", "StuckTask" }
    /// A worker that is asked to end and has the time to do so.
    drain { "e2e-drain", "e2e.drain", "DrainTask" }
    /// A worker that is asked to end and has too little time.
    deadline { "e2e-deadline", "e2e.deadline", "DeadlineTask" }
    /// A worker that is asked to end twice.
    impatient { "e2e-impatient", "e2e.impatient", "ImpatientTask" }
    /// A topic that is deleted and made anew.
    renewed { "e2e-renewed", "e2e.renewed", "RenewedTask" }
    /// A topic that is deleted and made anew, and has more records then.
    outgrown { "e2e-outgrown", "e2e.outgrown", "OutgrownTask" }
    /// The same while a worker runs.
    replaced { "e2e-replaced", "e2e.replaced", "ReplacedTask" }
    /// A group whose protocol changes while it has no members.
    converted { "e2e-converted", "e2e.converted", "ConvertedTask" }
    /// Two processes with one instance id.
    fenced { "e2e-fenced", "e2e.fenced", "FencedTask" }
    /// A static member that is killed and comes back.
    unreleased { "e2e-unreleased", "e2e.unreleased", "UnreleasedTask" }
    /// A static member that is frozen and replaced.
    frozen { "e2e-frozen", "e2e.frozen", "FrozenTask" }
    /// Records that no well-behaved producer writes.
    bad_input { "e2e-bad-input", "e2e.bad-input", "BadInputTask" }
    /// Many partitions with more bytes than the process may hold.
    resident { "e2e-resident", "e2e.resident", "ResidentTask" }
}

/// A service that reacts with an event of its own.
pub mod react {
    use events_kafka::event;

    /// The stage.
    pub const STAGE: super::Stage = super::Stage {
        service: "e2e-react",
        topic: "e2e.react",
        event: "ReactTask",
    };
    /// Where the reactions go.
    pub const DONE_TOPIC: &str = "e2e.react-done";

    /// Work to be done.
    #[event(name = "ReactTask", topic = "e2e.react", key = key)]
    pub struct Task {
        /// Tasks of one key are done in order.
        pub key: String,
    }

    /// A task was done.
    #[event(name = "ReactDone", topic = "e2e.react-done", key = key)]
    pub struct Done {
        /// The task's.
        pub key: String,
    }
}

/// A topic whose records need not name their type.
pub mod untyped {
    use events_kafka::event;

    /// The stage.
    pub const STAGE: super::Stage = super::Stage {
        service: "e2e-untyped",
        topic: "e2e.untyped",
        event: "UntypedTask",
    };

    /// Work to be done.
    #[event(name = "UntypedTask", topic = "e2e.untyped", key = key, topic_default)]
    pub struct Task {
        /// Tasks of one key are done in order.
        pub key: String,
    }
}
