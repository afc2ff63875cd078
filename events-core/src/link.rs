//! Lines that stand in users' crates.

/// Says that the handlers of this module, and of those below it, belong to a service.
///
/// # Examples
///
/// ```
/// mod payments {
///     events_core::service!("payments");
/// }
/// ```
#[macro_export]
macro_rules! service {
    ($service:literal $(,)?) => {
        const _: () = {
            $crate::__private::inventory::submit! {
                $crate::ServiceClaim { module: ::core::module_path!(), service: $service }
            }
        };
    };
    ($($other:tt)*) => {
        ::core::compile_error!(
            "`service!` takes the service's name as a string: `service!(\"payments\");`"
        );
    };
}

/// Names handlers by the paths of their functions: `Harness::of` runs these alone, whatever else is linked.
///
/// # Examples
///
/// ```
/// use events_core::{Registry, handlers};
///
/// mod billing {
///     use events_core::{event, handler};
///
///     #[event(topic = "orders", key = order_id)]
///     pub struct OrderPlaced { pub order_id: String }
///
///     #[handler]
///     pub async fn bill(order: OrderPlaced) { drop(order.order_id); }
/// }
///
/// let registry = Registry::linked().only(&handlers![billing::bill]).unwrap();
/// assert_eq!(registry.handlers[0].name, "bill");
/// ```
#[macro_export]
macro_rules! handlers {
    ($($handler:path),+ $(,)?) => {
        [$($crate::NamedHandler::of(&$handler)),+]
    };
}

/// Links a crate whose events and handlers register themselves, but which nothing else names: without this line the
/// linker leaves it out, and its handlers never run.
///
/// # Examples
///
/// ```
/// events_core::link!(std); // the name of a crate that holds handlers, such as `billing`
/// ```
#[macro_export]
macro_rules! link {
    ($($name:ident),+ $(,)?) => {
        $(use ::$name as _;)+
    };
}

/// For generated code only: holds what `#[handler]` makes of a function. Inside of an `impl` the compiler refuses the
/// trait, and says where it comes from: this name. It does not look into what it refuses, so that this is the only error.
#[doc(hidden)]
#[macro_export]
macro_rules! a_handler_is_a_free_function_outside_of_impl {
    ($name:ident $($registration:tt)*) => {
        #[allow(dead_code, deprecated, non_camel_case_types)]
        trait $name {
            const REGISTERED: () = {
                $($registration)*
            };
        }
    };
}

/// Says that a service publishes event types, or sends commands, where no handler stands: at its edge, such as an HTTP
/// route.
///
/// Handlers name what they emit by their return types; an edge cannot be seen. With this line the company's graph knows
/// who feeds the handlers of these events. The service is the one that claims the module (`service!`), or the one that
/// is named.
///
/// # Examples
///
/// ```
/// # use events_core::event;
/// #[event(topic = "orders", key = order_id)]
/// pub struct OrderPlaced { pub order_id: String }
/// #[event(topic = "orders", key = order_id)]
/// pub struct OrderCancelled { pub order_id: String }
///
/// events_core::publishes!(OrderPlaced);
/// events_core::publishes!("orders": OrderCancelled);
/// ```
#[macro_export]
macro_rules! publishes {
    ($service:literal : $($event:ty),+ $(,)?) => {
        $($crate::publishes!(@ ::core::option::Option::Some($service), $event);)+
    };
    (@ $service:expr, $event:ty) => {
        const _: () = {
            $crate::__private::inventory::submit! {
                $crate::manifest::Publication {
                    module: ::core::module_path!(),
                    service: $service,
                    event: <$event as $crate::Event>::DESCRIPTOR,
                }
            }
        };
    };
    ($($event:ty),+ $(,)?) => {
        $($crate::publishes!(@ ::core::option::Option::None, $event);)+
    };
}
