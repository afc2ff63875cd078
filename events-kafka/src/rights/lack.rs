//! Rights that are missing, as far as the cluster tells.

use std::fmt;

use events_core::Fault;
use rdkafka::error::RDKafkaErrorCode;

use super::{Operation, Resource, Right};
use crate::ffi::Told;
use crate::options::ClientOptions;
use crate::topics::Catalog;

/// Operations that this user needs of a resource and is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lack {
    pub(crate) right: Right,
    /// What is to be granted: nothing can be known of other operations while a topic is hidden.
    grant: Right,
    /// Not even its existence may be known.
    pub(crate) hidden: bool,
}

/// What is missing.
#[derive(Debug, Default)]
pub(crate) struct Lacks {
    pub(crate) found: Vec<Lack>,
    /// The cluster did not answer, so there may be more.
    pub(crate) unanswered: bool,
}

/// What of `needed` is missing. What a broker does not tell is not missing here; it shows when it is used.
pub(crate) async fn lacking(catalog: &Catalog, needed: &[Right]) -> Lacks {
    let mut lacks = Lacks::default();
    for resource in [Resource::Group, Resource::Topic] {
        let of: Vec<_> = needed
            .iter()
            .filter(|right| right.resource == resource)
            .collect();
        let names = of.iter().map(|right| right.name.clone()).collect();
        let told = match catalog.authorized(resource, names).await {
            Ok(told) => told,
            Err(error) => {
                tracing::debug!(%error, ?resource, "the cluster does not tell what this user may do");
                lacks.unanswered = true;
                continue;
            }
        };
        let missing = of
            .iter()
            .filter_map(|right| Lack::of(right, told.get(&right.name)?));
        lacks.found.extend(missing);
    }
    lacks
}

impl Lack {
    fn of(right: &Right, told: &Told) -> Option<Self> {
        use RDKafkaErrorCode::{GroupAuthorizationFailed, TopicAuthorizationFailed};
        let needed = right.operations.iter().copied();
        let (operations, hidden): (Vec<_>, _) = match told {
            // Whoever may read, write, delete or alter it may see it too.
            Told::Refused(GroupAuthorizationFailed | TopicAuthorizationFailed) => {
                (needed.filter(|operation| operation.shows()).collect(), true)
            }
            Told::Allowed(Some(allowed)) => {
                // What exists need not be made.
                let missing = needed.filter(|operation| {
                    *operation != Operation::Create && !allowed.contains(&operation.code())
                });
                (missing.collect(), false)
            }
            Told::Refused(_) | Told::Allowed(None) => return None,
        };
        let missing = Right {
            operations,
            ..right.clone()
        };
        let grant = if hidden { right } else { &missing }.clone();
        (!missing.operations.is_empty()).then_some(Self {
            right: missing,
            grant,
            hidden,
        })
    }

    /// The fault that names the right, and the command that grants it.
    pub(crate) fn fault(&self, service: &str, client: &ClientOptions) -> Fault {
        let address = client.address().unwrap_or_default();
        let command = self.grant.command(address, &client.principal(service));
        Fault::new(
            "missing-right",
            self.to_string(),
            format!(
                "`check --acls` prints all rights that the service needs; this one is granted by\n      {command}"
            ),
        )
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unseen = match (self.hidden, self.right.resource) {
            (true, Resource::Topic) => "; whether it exists cannot be seen either",
            _ => "",
        };
        write!(f, "this user lacks the right to {}{unseen}", self.right)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(operations: &[Operation]) -> Right {
        Right {
            resource: Resource::Topic,
            name: "orders".to_owned(),
            operations: operations.to_vec(),
        }
    }

    #[test]
    fn what_is_told_is_compared_with_what_is_needed() {
        let needed = right(&[
            Operation::Read,
            Operation::Create,
            Operation::DescribeConfigs,
        ]);
        let lack = |told| Lack::of(&needed, &told).map(|lack| lack.to_string());
        let (read, describe, configs) = (3, 8, 10);
        assert_eq!(
            lack(Told::Allowed(Some(vec![read, describe, configs]))),
            None,
            "it exists, so nobody needs to create it"
        );
        assert_eq!(
            lack(Told::Allowed(Some(vec![describe, configs]))).unwrap(),
            "this user lacks the right to Read the topic `orders`"
        );
        let refused = |code| lack(Told::Refused(code));
        let hidden = refused(RDKafkaErrorCode::TopicAuthorizationFailed).unwrap();
        assert!(
            hidden.contains("to Read the topic `orders`; whether it exists"),
            "{hidden}"
        );
        assert_eq!(refused(RDKafkaErrorCode::UnknownTopicOrPartition), None);
        assert_eq!(
            lack(Told::Allowed(None)),
            None,
            "an old broker tells nothing"
        );
    }
}
