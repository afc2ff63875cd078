//! One test for each scenario.

/// Makes one test of each scenario of the [suite](crate::conformance).
///
/// Give the attributes of a test, and an async block that answers a [`Cluster`](crate::conformance::Cluster).
#[macro_export]
macro_rules! conformance_tests {
    ($(#[$attribute:meta])+ async $cluster:block) => {
        $crate::__conformance_tests! {
            { $(#[$attribute])* } { $cluster }
            flow {
                every_record_is_handled_once
                emissions_carry_the_envelope
                one_of_several_types_is_taken
                the_publisher_belongs_to_the_attempt
                a_blocking_handler_works
                handlers_progress_on_their_own
            }
            order {
                keys_are_in_order_and_side_by_side
                a_failed_key_waits_alone
                records_without_a_key_run_side_by_side
            }
            failure {
                errors_are_tried_again
                a_hopeless_record_is_dead_lettered
                a_terminal_error_is_given_up_at_once
                a_panic_is_an_error
                an_undecodable_record_is_given_up_at_once
                a_late_attempt_is_dropped_and_made_again
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ($attributes:tt $cluster:tt $($room:ident { $($scenario:ident)+ })+) => {
        $($($crate::__conformance_test!($attributes $cluster $room $scenario);)+)+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_test {
    ({ $($attributes:tt)* } { $cluster:block } $room:ident $scenario:ident) => {
        $($attributes)*
        async fn $scenario() {
            let cluster = $cluster;
            $crate::conformance::$room::$scenario(&cluster).await.report(stringify!($scenario));
        }
    };
}
