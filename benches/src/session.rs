//! One run of the program: it starts the children in turn.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use events_core::Event;

use crate::cli::Options;
use crate::cluster::Cluster;
use crate::fill::fill;
use crate::job::{Allocator, Job, Variant, Work};
use crate::sample::{Sample, Series};

/// More would fall out of the embedded cluster's memory before it is read.
const EMBEDDED_RECORDS: u64 = 40_000;

/// What a child prints once others may rely on it.
pub(crate) const READY: &str = "ready\n";

/// One run of the program.
pub(crate) struct Session {
    pub(crate) options: Options,
    cluster: Option<Cluster>,
    /// Tells this run's groups from those of earlier runs.
    stamp: u128,
    children: u32,
}

impl Session {
    pub(crate) fn new(options: Options) -> Self {
        let stamp = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_millis());
        Self {
            options,
            cluster: None,
            stamp,
            children: 0,
        }
    }

    pub(crate) fn cluster(&mut self) -> Result<&Cluster> {
        if self.cluster.is_none() {
            self.cluster = Some(Cluster::connect(self.options.embedded)?);
        }
        self.cluster
            .as_ref()
            .context("the cluster was connected just now")
    }

    /// Records of a run: as asked for, or as the goal says.
    pub(crate) fn records(&self, goal: u64) -> Result<u64> {
        let records = self.options.records.unwrap_or(if self.options.embedded {
            goal.min(EMBEDDED_RECORDS)
        } else {
            goal
        });
        if self.options.embedded && records > EMBEDDED_RECORDS {
            bail!(
                "the embedded cluster forgets beyond {EMBEDDED_RECORDS} records: pass a smaller --records, or measure on a broker"
            );
        }
        Ok(records)
    }

    pub(crate) fn runs(&self) -> u32 {
        self.options.runs
    }

    /// Where the figures come from.
    pub(crate) fn broker(&self) -> &'static str {
        if self.options.embedded {
            "the client's built-in cluster"
        } else {
            "Apache Kafka on the same machine"
        }
    }

    /// Ours and what it stands beside.
    pub(crate) fn variants(&self, raw: &[Variant]) -> Vec<Variant> {
        let kinds = if self.options.brief { 1 } else { raw.len() };
        [Variant::Ours]
            .into_iter()
            .chain(raw.iter().copied().take(kinds))
            .collect()
    }

    /// Says on standard error what is being done.
    pub(crate) fn say(&self, what: &str) {
        eprintln!("bench: {what}");
    }

    /// Makes the event's topic with nothing in it.
    pub(crate) fn empty<E: Event>(&mut self) -> Result<()> {
        let topic = E::DESCRIPTOR.topic;
        self.cluster()?
            .renew(topic)
            .with_context(|| format!("topic `{topic}`"))
    }

    /// Makes the event's topic with `records` events in it.
    pub(crate) fn filled<E: Event>(
        &mut self,
        records: u64,
        event: impl Fn(u64) -> E,
    ) -> Result<()> {
        self.empty::<E>()?;
        self.say(&format!(
            "filling {} with {records} records",
            E::DESCRIPTOR.topic
        ));
        fill(self.cluster()?.address(), records, event)
    }

    /// What a child of this run is asked to do.
    pub(crate) fn job(&mut self, work: Work, variant: Variant, records: u64) -> Result<Job> {
        self.children += 1;
        let group = format!("bench-{}-{}", self.stamp, self.children);
        let address = self.cluster()?.address().to_owned();
        Ok(Job {
            work,
            variant,
            allocator: Allocator::Mimalloc,
            address,
            group,
            records,
            seconds: 0,
            rate: 0,
            set: self.options.set.clone(),
            engine: self.options.engine.clone(),
        })
    }

    /// Runs each variant as often as asked for, in turn, each time in a process of its own.
    pub(crate) fn alternate(
        &mut self,
        variants: &[Variant],
        job: impl Fn(&mut Self, Variant) -> Result<Job>,
    ) -> Result<Vec<Series>> {
        self.in_turn(variants, |session, variant| {
            let job = job(session, variant)?;
            let sample = session.measure(&job)?;
            Ok((job.work, sample))
        })
    }

    /// Takes a sample of each variant as often as asked for, in turn.
    pub(crate) fn in_turn(
        &mut self,
        variants: &[Variant],
        mut sample: impl FnMut(&mut Self, Variant) -> Result<(Work, Sample)>,
    ) -> Result<Vec<Series>> {
        let mut series: Vec<_> = variants
            .iter()
            .map(|variant| Series {
                variant: *variant,
                samples: Vec::new(),
            })
            .collect();
        for run in 1..=self.runs() {
            for series in &mut series {
                let (work, sample) = sample(self, series.variant)?;
                let name = series.variant.name();
                self.say(&format!(
                    "{work:?} {run}/{}, {name}: {:.0} records/s, {:.2} s of processor{}",
                    self.runs(),
                    sample.rate(),
                    sample.cpu_seconds,
                    sample.figures_text()
                ));
                series.samples.push(sample);
            }
        }
        Ok(series)
    }

    /// One measured run.
    pub(crate) fn measure(&mut self, job: &Job) -> Result<Sample> {
        self.prepare(job)?;
        let sample = self.start(job)?.finish()?;
        self.clear(job)?;
        Ok(sample)
    }

    /// What a service needs of the cluster beside what it reads.
    pub(crate) fn prepare(&mut self, job: &Job) -> Result<()> {
        if job.variant.is_ours() {
            let letters = format!("{}.dead-letters", job.group);
            self.cluster()?.prepare_letters(&letters)?;
        }
        Ok(())
    }

    /// Removes what a service made on the cluster.
    pub(crate) fn clear(&mut self, job: &Job) -> Result<()> {
        if job.variant.is_ours() {
            self.cluster()?.remove_of(&job.group)?;
        }
        Ok(())
    }

    /// Starts a child.
    pub(crate) fn start(&self, job: &Job) -> Result<Child> {
        let program = std::env::current_exe()
            .context("this program's own path")?
            .with_file_name(job.allocator.program());
        let text = serde_json::to_string(job)?;
        let process = Command::new(program)
            .args(["child", &text])
            // A child that waits for its end sees it when this one is dropped.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        Ok(Child {
            process: process.context("cannot start a child")?,
            text,
        })
    }
}

/// A child at work.
pub(crate) struct Child {
    process: std::process::Child,
    text: String,
}

impl Child {
    /// Waits until the child says that it is ready.
    pub(crate) fn ready(&mut self) -> Result<()> {
        // No more than the line: what follows belongs to `finish`.
        let mut line = [0; READY.len()];
        let output = self.process.stdout.as_mut();
        output
            .context("the child has no output")?
            .read_exact(&mut line)?;
        if line != *READY.as_bytes() {
            bail!("the child {} did not become ready", self.text);
        }
        Ok(())
    }

    /// Kills it: it has no time to do anything.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Tells it to end where it waits for that, and waits for its sample.
    pub(crate) fn finish(self) -> Result<Sample> {
        let output = self.process.wait_with_output()?;
        if !output.status.success() {
            bail!("the child {} ended with {}", self.text, output.status);
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().last().unwrap_or_default();
        serde_json::from_str(line)
            .with_context(|| format!("the child {} answered {line:?}", self.text))
    }
}
