//! What the handlers of one service share.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::contained::discard;

/// A value that handlers of a service share, put in with `Runtime::state`. A handler takes it as an argument.
///
/// It is an `Arc`: cloning is cheap, and the value needs its own locks to change. `T` may be a trait object,
/// `State<dyn Repository>`: `Runtime::shared_state` takes it as an `Arc<dyn Repository>`.
///
/// # Examples
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use events_core::{event, handler, State};
///
/// #[event(topic = "orders", key = order_id)]
/// pub struct OrderPlaced { pub order_id: String }
///
/// #[handler]
/// async fn count(_order: OrderPlaced, orders: State<AtomicU64>) {
///     orders.fetch_add(1, Ordering::Relaxed);
/// }
/// ```
#[derive(Debug)]
pub struct State<T: ?Sized>(pub(crate) Arc<T>);

impl<T> State<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: ?Sized> State<T> {
    /// The shared value itself.
    pub fn into_arc(self) -> Arc<T> {
        self.0
    }
}

impl<T: ?Sized> From<Arc<T>> for State<T> {
    fn from(value: Arc<T>) -> Self {
        Self(value)
    }
}

impl<T: ?Sized> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> Deref for State<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

/// The name and the shared values of a service.
#[derive(Default)]
pub struct ServiceContext {
    service: String,
    values: HashMap<TypeId, Entry>,
}

struct Entry {
    type_name: &'static str,
    value: Box<dyn Any + Send + Sync>,
}

impl ServiceContext {
    /// A service without shared values.
    pub fn new(service: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            values: HashMap::new(),
        }
    }

    /// The service's name.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Shares a value; answers `false` if a value of that type was there and has been replaced.
    pub fn insert<T: ?Sized + Send + Sync + 'static>(&mut self, value: State<T>) -> bool {
        let entry = Entry {
            type_name: type_name::<T>(),
            value: Box::new(value),
        };
        self.values.insert(TypeId::of::<T>(), entry).is_none()
    }

    /// The shared value of type `T`.
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<State<T>> {
        let entry = self.values.get(&TypeId::of::<T>())?;
        entry.value.downcast_ref::<State<T>>().cloned()
    }

    /// Names of the shared types, sorted.
    pub fn type_names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.values.values().map(|entry| entry.type_name).collect();
        names.sort_unstable();
        names
    }
}

impl Drop for ServiceContext {
    fn drop(&mut self) {
        // The last of a service may be a lane's or a poll thread's. Each for itself, so that no panic meets another; the
        // panic hook reports it.
        for (_, entry) in self.values.drain() {
            let _ = discard(entry);
        }
    }
}

impl fmt::Debug for ServiceContext {
    /// Names the types alone: the values may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceContext")
            .field("service", &self.service)
            .field("state", &self.type_names())
            .finish()
    }
}
