//! One attempt at one record.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Result;
use crate::cancellation::Cancellation;
use crate::contained::discard;
use crate::emission::Emissions;
use crate::envelope::Meta;
use crate::event::EventDescriptor;
use crate::publisher::Publisher;
use crate::record::RecordView;

/// A record that was routed to a handler, as one attempt sees it.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    record: &'a dyn RecordView,
    event: &'static EventDescriptor,
    version: u32,
    attempt: u32,
    context: &'a AttemptContext,
}

impl<'a> Delivery<'a> {
    /// For engines: puts together what an attempt sees. `attempt` counts from 1.
    pub fn new(
        record: &'a dyn RecordView,
        event: &'static EventDescriptor,
        version: u32,
        attempt: u32,
        context: &'a AttemptContext,
    ) -> Self {
        Self {
            record,
            event,
            version,
            attempt,
            context,
        }
    }

    /// The event type that the record was routed as.
    pub fn event(&self) -> &'static EventDescriptor {
        self.event
    }

    /// The version that the record says it has; 1 where it says nothing.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Which attempt this is; the first is 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The record itself.
    pub fn record(&self) -> &'a dyn RecordView {
        self.record
    }

    /// The value of the last header called `name`; none if it is absent or null.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut found = None;
        let mut index = 0;
        while let Some((known, value)) = self.record.header(index) {
            index += 1;
            if known == name.as_bytes() {
                found = value;
            }
        }
        found
    }

    /// Reads the whole envelope.
    pub fn meta(&self) -> Meta {
        Meta::read(self.record, self.event.name, self.attempt)
    }

    /// What middleware left for this attempt.
    pub fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        self.context.extension()
    }

    pub(crate) fn attempt_context(&self) -> &'a AttemptContext {
        self.context
    }
}

/// What belongs to one attempt and is made only when something asks for it. Engines keep one for each slot.
#[derive(Default)]
pub struct AttemptContext(Mutex<Parts>);

#[derive(Default)]
struct Parts {
    /// What the publisher takes; anything, if none.
    declared: Option<Arc<[&'static EventDescriptor]>>,
    cancellation: Option<Cancellation>,
    publisher: Option<Publisher>,
    extensions: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
}

impl AttemptContext {
    /// Nothing made yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for the attempts of a handler: its publisher takes the event types that it declares, and no others.
    pub fn declaring(emits: impl IntoIterator<Item = &'static EventDescriptor>) -> Self {
        let declared = Some(emits.into_iter().collect());
        Self(Mutex::new(Parts {
            declared,
            ..Parts::default()
        }))
    }

    /// The attempt's token.
    pub fn cancellation(&self) -> Cancellation {
        self.parts().cancellation.get_or_insert_default().clone()
    }

    /// The attempt's publisher.
    pub fn publisher(&self) -> Publisher {
        let mut parts = self.parts();
        let Parts {
            declared,
            publisher,
            ..
        } = &mut *parts;
        let publisher = publisher.get_or_insert_with(|| Publisher::of(declared.clone()));
        publisher.clone()
    }

    /// Leaves a value for the attempt's extractors; middleware calls it.
    pub fn extend<T: Clone + Send + Sync + 'static>(&self, value: T) {
        let key = TypeId::of::<T>();
        let earlier = self.parts().extensions.insert(key, Box::new(value));
        // Not under the lock: its `Drop` is code of users.
        drop(earlier);
    }

    /// A value that middleware left.
    pub fn extension<T: Clone + Send + Sync + 'static>(&self) -> Option<T> {
        let parts = self.parts();
        let value = parts.extensions.get(&TypeId::of::<T>())?;
        value.downcast_ref::<T>().cloned()
    }

    /// For engines: cancels the attempt's token, if anything holds one.
    pub fn cancel(&self) {
        let token = self.parts().cancellation.clone();
        if let Some(token) = token {
            token.cancel();
        }
    }

    /// For engines, at the end of an attempt: moves what was published by hand to `emissions` and closes the
    /// publisher, so that a clone which outlives the attempt answers with an error.
    ///
    /// # Errors
    ///
    /// A value that middleware left panicked when it was dropped: the attempt has failed.
    pub fn finish(&mut self, emissions: &mut Emissions) -> Result<()> {
        let parts = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(publisher) = parts.publisher.take() {
            publisher.close(emissions);
        }
        parts.cancellation = None;
        // Nearly always; to drain a map costs more than to look at it.
        if parts.extensions.is_empty() {
            return Ok(());
        }
        let mut outcome = Ok(());
        // Each for itself, so that no panic meets another.
        for (_, value) in parts.extensions.drain() {
            let dropped = discard(value);
            outcome = outcome.and(dropped);
        }
        outcome.map_err(|panic| panic.context("what a layer left, when it was dropped"))
    }

    fn parts(&self) -> MutexGuard<'_, Parts> {
        // A `Clone` of users may panic under this lock; it changes nothing, so a poisoned value is a whole one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AttemptContext {
    fn drop(&mut self) {
        // The attempt was given up together with its slot: no record is left that could fail.
        let _ = self.finish(&mut Emissions::new());
    }
}
