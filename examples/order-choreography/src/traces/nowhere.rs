//! Without the feature nobody asks for spans, and none is made.

use std::borrow::Cow;

use anyhow::Result;
use events_kafka::{Producer, Runtime};
use tracing::{Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Identity;

pub(crate) struct Traces;

impl Traces {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self)
    }

    pub(crate) fn layer<S: Subscriber>(&self) -> impl Layer<S> + use<S> {
        Identity::new()
    }

    pub(crate) fn finish(self) {}
}

pub(crate) fn of_service(service: Runtime) -> Runtime {
    service
}

pub(crate) fn within<'a>(_: &Span, producer: &'a Producer) -> Cow<'a, Producer> {
    Cow::Borrowed(producer)
}
