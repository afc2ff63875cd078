//! What a handler may take besides its event.

use std::any::type_name;
use std::sync::Arc;

use crate::cancellation::Cancellation;
use crate::context::{ServiceContext, State};
use crate::delivery::Delivery;
use crate::envelope::Meta;
use crate::publisher::Publisher;
use crate::{Error, Result};

/// An argument of a handler behind its event.
///
/// `prepare` runs once for each slot of a handler (and once at start, to find faults); `extract` runs for each attempt.
///
/// # Examples
///
/// ```
/// use events_core::{event, handler, Delivery, Error, Extract, Needs, Result, ServiceContext};
///
/// pub struct Tenant(pub String);
///
/// impl Extract for Tenant {
///     type Prepared = ();
///     fn needs(needs: &mut Needs) { needs.headers = true; }
///     fn prepare(_: &ServiceContext) -> Result<()> { Ok(()) }
///     fn extract(_: &(), delivery: &Delivery<'_>) -> Result<Self> {
///         let tenant = delivery.header("tenant").ok_or_else(|| Error::msg("no header `tenant`"))?;
///         Ok(Self(String::from_utf8_lossy(tenant).into_owned()))
///     }
/// }
///
/// #[event(topic = "orders", key = order_id)]
/// pub struct OrderPlaced { pub order_id: String }
///
/// #[handler]
/// async fn bill(_order: OrderPlaced, tenant: Tenant) { drop(tenant.0); }
/// ```
#[diagnostic::on_unimplemented(
    message = "a handler cannot take `{Self}` behind its event",
    label = "not something a record can give",
    note = "a handler takes one event, as its first argument: for a second one write a second handler, or let that argument be an enum of both with `#[derive(OneOf)]`",
    note = "arguments behind the event are `State<T>`, `Meta`, `Publisher`, `Cancellation`, or a type of yours that implements `Extract`"
)]
pub trait Extract: Sized + Send + 'static {
    /// What is looked up once.
    type Prepared: Send + 'static;

    /// Says what the engine must read for this argument.
    fn needs(_needs: &mut Needs) {}

    /// Looks up once what each attempt needs.
    ///
    /// # Errors
    ///
    /// When the service lacks something: a start-up error, which should name the remedy.
    fn prepare(service: &ServiceContext) -> Result<Self::Prepared>;

    /// Makes the argument of one attempt.
    ///
    /// # Errors
    ///
    /// An error counts as the attempt's own.
    fn extract(prepared: &Self::Prepared, delivery: &Delivery<'_>) -> Result<Self>;
}

/// What a handler needs of each record beside its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Needs {
    /// Headers are read.
    pub headers: bool,
    /// Events may be published by hand, of any type.
    pub publisher: bool,
}

impl<T: ?Sized + Send + Sync + 'static> Extract for State<T> {
    type Prepared = Self;

    fn prepare(service: &ServiceContext) -> Result<Self> {
        service.get().ok_or_else(|| {
            let name = type_name::<T>();
            if service.get::<Arc<T>>().is_some() {
                return Error::msg(format!(
                    "no state of type {name}, but one of type Arc<{name}>: give it to the runtime with `.shared_state(…)` instead of `.state(…)`"
                ));
            }
            let short = name.rsplit("::").next().unwrap_or(name);
            // One that has no size can be put in by a pointer alone.
            if name.starts_with("dyn ") {
                return Error::msg(format!(
                    "no state of type {name}: add `.shared_state(Arc::new(…) as Arc<dyn {short}>)` to the runtime"
                ));
            }
            Error::msg(format!("no state of type {name}: add `.state({short}…)` to the runtime"))
        })
    }

    fn extract(prepared: &Self, _: &Delivery<'_>) -> Result<Self> {
        Ok(prepared.clone())
    }
}

impl Extract for Meta {
    type Prepared = ();

    fn needs(needs: &mut Needs) {
        needs.headers = true;
    }

    fn prepare(_: &ServiceContext) -> Result<()> {
        Ok(())
    }

    fn extract((): &(), delivery: &Delivery<'_>) -> Result<Self> {
        Ok(delivery.meta())
    }
}

impl Extract for Publisher {
    type Prepared = ();

    fn needs(needs: &mut Needs) {
        needs.headers = true;
        needs.publisher = true;
    }

    fn prepare(_: &ServiceContext) -> Result<()> {
        Ok(())
    }

    fn extract((): &(), delivery: &Delivery<'_>) -> Result<Self> {
        Ok(delivery.attempt_context().publisher())
    }
}

impl Extract for Cancellation {
    type Prepared = ();

    fn prepare(_: &ServiceContext) -> Result<()> {
        Ok(())
    }

    fn extract((): &(), delivery: &Delivery<'_>) -> Result<Self> {
        Ok(delivery.attempt_context().cancellation())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counter;

    #[test]
    fn state_that_is_missing_or_shared_twice_is_told_with_its_remedy() {
        let mut service = ServiceContext::new("counting");
        let told = |service: &ServiceContext| {
            State::<Counter>::prepare(service)
                .err()
                .map(|error| error.to_string())
        };
        let name = type_name::<Counter>();
        assert_eq!(
            told(&service).unwrap(),
            format!("no state of type {name}: add `.state(Counter…)` to the runtime")
        );
        service.insert(State::new(Arc::new(Counter)));
        assert_eq!(
            told(&service).unwrap(),
            format!(
                "no state of type {name}, but one of type Arc<{name}>: give it to the runtime with `.shared_state(…)` instead of `.state(…)`"
            )
        );
        service.insert(State::from(Arc::new(Counter)));
        assert_eq!(told(&service), None);
    }

    trait Repository: Send + Sync {
        fn find(&self) -> u32;
    }

    impl Repository for Counter {
        fn find(&self) -> u32 {
            7
        }
    }

    #[test]
    fn state_may_be_a_trait_object() {
        let mut service = ServiceContext::new("finding");
        let missing = State::<dyn Repository>::prepare(&service).err().unwrap();
        assert_eq!(
            missing.to_string(),
            format!(
                "no state of type {}: add `.shared_state(Arc::new(…) as Arc<dyn Repository>)` to the runtime",
                type_name::<dyn Repository>()
            )
        );
        service.insert(State::from(Arc::new(Counter) as Arc<dyn Repository>));
        let found = State::<dyn Repository>::prepare(&service).unwrap();
        assert_eq!(found.find(), 7);
    }
}
