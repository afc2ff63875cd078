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
