//! Grants and takes rights. The safe client cannot.
#![expect(
    unsafe_code,
    reason = "calls into librdkafka that the safe client does not offer"
)]

use std::ffi::CString;
use std::ptr;

use rdkafka::admin::AdminClient;
use rdkafka::bindings as sys;
use rdkafka::client::DefaultClientContext;
use rdkafka::types::RDKafkaRespErr;

use crate::right::Right;

/// How long the broker may take, in milliseconds.
const ANSWER: i32 = 20_000;

type Binding = *mut sys::rd_kafka_AclBinding_t;

/// Allows `principal` what `right` says.
pub(crate) fn grant(admin: &AdminClient<DefaultClientContext>, principal: &str, right: &Right) {
    let mut binding = binding(principal, right);
    let client = admin.inner().native_ptr();
    // SAFETY: all arguments are valid and copied; the event owns what is read of it until it is destroyed.
    unsafe {
        let queue = sys::rd_kafka_queue_new(client);
        sys::rd_kafka_CreateAcls(client, &mut binding, 1, ptr::null(), queue);
        let event = sys::rd_kafka_queue_poll(queue, ANSWER);
        assert!(!event.is_null(), "no answer");
        assert_eq!(
            sys::rd_kafka_event_error(event),
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
        );
        let result = sys::rd_kafka_event_CreateAcls_result(event);
        let mut count = 0;
        let granted = sys::rd_kafka_CreateAcls_result_acls(result, &mut count);
        assert_eq!(count, 1);
        assert!(
            sys::rd_kafka_acl_result_error(*granted).is_null(),
            "{right} was not granted"
        );
        sys::rd_kafka_event_destroy(event);
        sys::rd_kafka_queue_destroy(queue);
        sys::rd_kafka_AclBinding_destroy(binding);
    }
}

/// Takes away what was granted. Answers whether it was there.
pub(crate) fn take(
    admin: &AdminClient<DefaultClientContext>,
    principal: &str,
    right: &Right,
) -> bool {
    let mut binding = binding(principal, right);
    let client = admin.inner().native_ptr();
    // SAFETY: as above; a binding is its own filter.
    unsafe {
        let queue = sys::rd_kafka_queue_new(client);
        sys::rd_kafka_DeleteAcls(client, &mut binding, 1, ptr::null(), queue);
        let event = sys::rd_kafka_queue_poll(queue, ANSWER);
        assert!(!event.is_null(), "no answer");
        assert_eq!(
            sys::rd_kafka_event_error(event),
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR
        );
        let result = sys::rd_kafka_event_DeleteAcls_result(event);
        let (mut count, mut taken) = (0, 0);
        let responses = sys::rd_kafka_DeleteAcls_result_responses(result, &mut count);
        assert_eq!(count, 1);
        sys::rd_kafka_DeleteAcls_result_response_matching_acls(*responses, &mut taken);
        sys::rd_kafka_event_destroy(event);
        sys::rd_kafka_queue_destroy(queue);
        sys::rd_kafka_AclBinding_destroy(binding);
        taken > 0
    }
}

fn binding(principal: &str, right: &Right) -> Binding {
    use sys::rd_kafka_AclOperation_t as Operation;
    use sys::rd_kafka_ResourceType_t as Resource;
    let resource = match right.resource.as_str() {
        "group" => Resource::RD_KAFKA_RESOURCE_GROUP,
        "topic" => Resource::RD_KAFKA_RESOURCE_TOPIC,
        other => panic!("an unknown resource: {other}"),
    };
    let operation = match right.operation.as_str() {
        "Read" => Operation::RD_KAFKA_ACL_OPERATION_READ,
        "Write" => Operation::RD_KAFKA_ACL_OPERATION_WRITE,
        "Create" => Operation::RD_KAFKA_ACL_OPERATION_CREATE,
        "Delete" => Operation::RD_KAFKA_ACL_OPERATION_DELETE,
        "Alter" => Operation::RD_KAFKA_ACL_OPERATION_ALTER,
        "Describe" => Operation::RD_KAFKA_ACL_OPERATION_DESCRIBE,
        "DescribeConfigs" => Operation::RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS,
        other => panic!("an unknown operation: {other}"),
    };
    let text = |text: &str| CString::new(text).unwrap();
    let (name, principal, host) = (text(&right.name), text(principal), text("*"));
    // SAFETY: the texts end with zeros and are copied.
    let binding = unsafe {
        sys::rd_kafka_AclBinding_new(
            resource,
            name.as_ptr(),
            sys::rd_kafka_ResourcePatternType_t::RD_KAFKA_RESOURCE_PATTERN_LITERAL,
            principal.as_ptr(),
            host.as_ptr(),
            operation,
            sys::rd_kafka_AclPermissionType_t::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
            ptr::null_mut(),
            0,
        )
    };
    assert!(!binding.is_null(), "{right} is not valid");
    binding
}
