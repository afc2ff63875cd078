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
/// constant, and says where it comes from: this name.
#[doc(hidden)]
#[macro_export]
macro_rules! a_handler_is_a_free_function_outside_of_impl {
    ($($registration:tt)*) => {
        const _: () = {
            $($registration)*
        };
    };
}
