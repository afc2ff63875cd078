//! Says when a producer has answers to hand out.

use std::any::Any;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use rdkafka::bindings as sys;
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};

/// Wakes a task once answers lie ready in a producer that had none.
pub(crate) struct Answers {
    queue: *mut sys::rd_kafka_queue_t,
    /// Stable address for the callback.
    waker: Box<Mutex<Option<Waker>>>,
    /// Woken while no other task is named.
    otherwise: Waker,
    /// The queue must go before its client does.
    _producer: Arc<dyn Any + Send + Sync>,
}

// SAFETY: librdkafka's queues may be used from any thread; the waker is behind a lock.
unsafe impl Send for Answers {}
// SAFETY: as above.
unsafe impl Sync for Answers {}

impl Answers {
    /// `otherwise` is woken while no other task is named.
    pub(crate) fn of<C: ProducerContext + 'static>(
        producer: &Arc<BaseProducer<C>>,
        otherwise: Waker,
    ) -> Self {
        let waker = Box::new(Mutex::new(Some(otherwise.clone())));
        let opaque = ptr::from_ref::<Mutex<Option<Waker>>>(&waker)
            .cast_mut()
            .cast();
        // SAFETY: the client lives as long as `producer`, of which a reference is kept; `opaque` outlives the callback,
        // which `drop` switches off.
        let queue = unsafe {
            let queue = sys::rd_kafka_queue_get_main(producer.client().native_ptr());
            sys::rd_kafka_queue_cb_event_enable(queue, Some(super::wake), opaque);
            queue
        };
        Self {
            queue,
            waker,
            otherwise,
            _producer: Arc::clone(producer) as _,
        }
    }

    /// Whether the producer has no answers to hand out.
    pub(crate) fn is_empty(&self) -> bool {
        // SAFETY: the queue is valid.
        unsafe { sys::rd_kafka_queue_length(self.queue) == 0 }
    }

    /// Names the task to be woken, in the place of the one before.
    pub(crate) fn register(&self, waker: &Waker) {
        let mut cell = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *cell {
            Some(known) => known.clone_from(waker),
            None => *cell = Some(waker.clone()),
        }
    }

    /// The task is not to be woken any more.
    pub(crate) fn leave(&self, waker: &Waker) {
        let mut cell = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &mut *cell
            && known.will_wake(waker)
        {
            known.clone_from(&self.otherwise);
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        // SAFETY: the queue is valid; after the first call the callback does not run any more.
        unsafe {
            sys::rd_kafka_queue_cb_event_enable(self.queue, None, ptr::null_mut());
            sys::rd_kafka_queue_destroy(self.queue);
        }
    }
}
