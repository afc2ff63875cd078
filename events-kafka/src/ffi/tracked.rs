//! What the embedded cluster was asked, for tests.

use std::collections::BTreeMap;

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};

/// Lets the cluster that `client` carries count its requests from now on.
pub(crate) fn track_requests<C: ClientContext>(client: &Client<C>) {
    // SAFETY: the client is valid and carries a cluster.
    unsafe {
        let cluster = sys::rd_kafka_handle_mock_cluster(client.native_ptr());
        assert!(!cluster.is_null(), "the client carries no cluster");
        sys::rd_kafka_mock_start_request_tracking(cluster);
    }
}

/// How many requests of each kind came, by the protocol's numbers.
pub(crate) fn tracked_requests<C: ClientContext>(client: &Client<C>) -> BTreeMap<i16, usize> {
    let mut counts = BTreeMap::new();
    let mut count = 0;
    // SAFETY: the client is valid; the list holds as many valid requests as the call says, and is
    // destroyed with them after the last one was read.
    unsafe {
        let cluster = sys::rd_kafka_handle_mock_cluster(client.native_ptr());
        assert!(!cluster.is_null(), "the client carries no cluster");
        let requests = sys::rd_kafka_mock_get_requests(cluster, &raw mut count);
        if !requests.is_null() {
            for place in 0..count {
                let key = sys::rd_kafka_mock_request_api_key(*requests.add(place));
                *counts.entry(key).or_default() += 1;
            }
            sys::rd_kafka_mock_request_destroy_array(requests, count);
        }
    }
    counts
}
