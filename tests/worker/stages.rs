//! The handlers of each stage.

/// A stage whose one handler is called `work`.
macro_rules! plain {
    ($($stage:ident $service:literal)+) => {$(
        mod $stage {
            use end_to_end_tests::$stage::Task;
            use events_kafka::{Meta, Result, State, handler};

            use crate::attempts::Attempts;

            events_kafka::service!($service);

            #[handler]
            async fn work(task: Task, meta: Meta, attempts: State<Attempts>) -> Result<()> {
                attempts.run("work", &task.key, &meta).await
            }
        }
    )+};
}

plain! {
    rolling_classic "e2e-rolling-classic"
    rolling_consumer "e2e-rolling-consumer"
    earliest "e2e-earliest"
    latest "e2e-latest"
    since "e2e-since"
    growing "e2e-growing"
    overtaken "e2e-overtaken"
    poison "e2e-poison"
    drain "e2e-drain"
    deadline "e2e-deadline"
    impatient "e2e-impatient"
    renewed "e2e-renewed"
    outgrown "e2e-outgrown"
    replaced "e2e-replaced"
    converted "e2e-converted"
    fenced "e2e-fenced"
    unreleased "e2e-unreleased"
    frozen "e2e-frozen"
    bad_input "e2e-bad-input"
    untyped "e2e-untyped"
    resident "e2e-resident"
}

mod sigkill {
    use end_to_end_tests::sigkill::Task;
    use events_kafka::{Meta, Result, State, handler};

    use crate::attempts::Attempts;

    events_kafka::service!("e2e-sigkill");

    #[handler]
    async fn work(task: Task, meta: Meta, attempts: State<Attempts>) -> Result<()> {
        attempts.run("work", &task.key, &meta).await
    }

    /// Has its own progress on the same records, and no gate.
    #[handler]
    async fn audit(task: Task, meta: Meta, attempts: State<Attempts>) -> Result<()> {
        attempts.run("audit", &task.key, &meta).await
    }
}

mod react {
    use end_to_end_tests::react::{Done, Task};
    use events_kafka::{Meta, Result, State, handler};

    use crate::attempts::Attempts;

    events_kafka::service!("e2e-react");

    #[handler]
    async fn work(task: Task, meta: Meta, attempts: State<Attempts>) -> Result<Done> {
        attempts.run("work", &task.key, &meta).await?;
        Ok(Done { key: task.key })
    }
}

mod stuck {
    use end_to_end_tests::stuck::Task;
    use events_kafka::{Meta, Result, State, handler};

    use crate::attempts::Attempts;

    events_kafka::service!("e2e-stuck");

    #[handler(blocking)]
    fn work(task: Task, meta: Meta, attempts: State<Attempts>) -> Result<()> {
        attempts.run_blocking(&task.key, &meta)
    }
}
