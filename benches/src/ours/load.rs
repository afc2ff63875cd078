//! A steady load for `memory`: events at a fixed rate, from a process of its own.

use std::time::{Duration, Instant};

use anyhow::Result;
use events_kafka::Producer;

use crate::events::{Order, SteadyOrder};
use crate::job::Job;
use crate::measured;
use crate::ours::{on_tokio, options};
use crate::sample::Sample;
use crate::tally::Moment;

/// Between two bursts.
const TICK: Duration = Duration::from_millis(20);

pub(crate) fn run(job: &Job) -> Result<Sample> {
    on_tokio(async {
        let producer = Producer::connect(&job.group, options(job))?;
        let (begun, first) = (Instant::now(), Moment::now());
        let until = Duration::from_secs(job.seconds);
        let mut sent = 0;
        while begun.elapsed() < until {
            let due = (begun.elapsed().as_secs_f64() * job.rate as f64) as u64;
            producer
                .publish_all((sent..due).map(|index| SteadyOrder(Order::numbered(index))))
                .await?;
            sent = due;
            tokio::time::sleep(TICK).await;
        }
        producer.close(Duration::from_secs(10)).await;
        Ok(measured::since(first, sent))
    })
}
