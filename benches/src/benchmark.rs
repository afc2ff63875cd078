//! The benchmarks by name.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::report::Report;
use crate::session::Session;
use crate::{
    check, compile, consume, kill, latency, members, memory, park, poison, publish, react, slow,
    start,
};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Benchmark {
    Consume,
    React,
    Slow,
    Latency,
    Publish,
    Compile,
    Check,
    Memory,
    Start,
    Poison,
    Park,
    Members,
    Kill,
}

impl Benchmark {
    /// In the order in which they run.
    pub(crate) const ALL: [Self; 13] = [
        Self::Consume,
        Self::React,
        Self::Slow,
        Self::Latency,
        Self::Publish,
        Self::Compile,
        Self::Check,
        Self::Memory,
        Self::Start,
        Self::Poison,
        Self::Park,
        Self::Members,
        Self::Kill,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Consume => "consume",
            Self::React => "react",
            Self::Slow => "slow",
            Self::Latency => "latency",
            Self::Publish => "publish",
            Self::Compile => "compile",
            Self::Check => "check",
            Self::Memory => "memory",
            Self::Start => "start",
            Self::Poison => "poison",
            Self::Park => "park",
            Self::Members => "members",
            Self::Kill => "kill",
        }
    }

    pub(crate) fn run(self, session: &mut Session) -> Result<Report> {
        let report = match self {
            Self::Consume => consume::run(session),
            Self::React => react::run(session),
            Self::Slow => slow::run(session),
            Self::Latency => latency::run(session),
            Self::Publish => publish::run(session),
            Self::Compile => compile::run(session),
            Self::Check => check::run(session),
            Self::Memory => memory::run(session),
            Self::Start => start::run(session),
            Self::Poison => poison::run(session),
            Self::Park => park::run(session),
            Self::Members => members::run(session),
            Self::Kill => kill::run(session),
        };
        report.with_context(|| format!("the benchmark `{}` failed", self.name()))
    }
}
