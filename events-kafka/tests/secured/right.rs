//! What `check --acls --json` prints.

use std::fmt;

use serde_json::Value;

/// One operation of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Right {
    pub(crate) resource: String,
    pub(crate) name: String,
    pub(crate) operation: String,
}

impl Right {
    pub(crate) fn new(resource: &str, name: &str, operation: &str) -> Self {
        let (resource, name) = (resource.to_owned(), name.to_owned());
        let operation = operation.to_owned();
        Self {
            resource,
            name,
            operation,
        }
    }

    /// The rights of one service of the list.
    pub(crate) fn listed(service: &Value) -> Vec<Self> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let rights = service["rights"].as_array().unwrap().iter();
        let each = rights.flat_map(|right| {
            let operations = right["operations"].as_array().unwrap().iter();
            operations.map(move |operation| {
                Self::new(
                    &text(&right["resource"]),
                    &text(&right["name"]),
                    &text(operation),
                )
            })
        });
        each.collect()
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} `{}`", self.operation, self.resource, self.name)
    }
}
