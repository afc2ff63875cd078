//! How much offset metadata the brokers take.

use std::sync::Arc;

use events_core::Fault;
use events_runtime::offset_map::MAX_METADATA;
use rdkafka::admin::{AdminOptions, ResourceSpecifier};

use super::catalog::{ANSWER, Catalog};

const SETTING: &str = "offset.metadata.max.bytes";

/// Brokers that take less than an offset map may have.
pub(super) async fn warning(catalog: &Catalog) -> Option<Fault> {
    let settings = catalog.broker_settings(SETTING).await;
    judge(settings.into_iter())
}

fn judge(settings: impl Iterator<Item = (i32, String)>) -> Option<Fault> {
    let limits = settings.filter_map(|(broker, value)| Some((value.parse().ok()?, broker)));
    let (least, broker): (usize, i32) = limits.min()?;
    (least < MAX_METADATA).then(|| {
        Fault::new(
            "offset-metadata",
            format!(
                "broker {broker} has `{SETTING}={least}`, and an offset map may have {MAX_METADATA} bytes: a longer one is shortened, so that more work is done again after a kill"
            ),
            format!("set `{SETTING}=4096`, Kafka's default, on all brokers"),
        )
    })
}

impl Catalog {
    /// A setting of each broker, by the broker's id, as far as this user may know it.
    pub(crate) async fn broker_settings(&self, name: &str) -> Vec<(i32, String)> {
        if self.is_embedded().await {
            return Vec::new();
        }
        let admin = Arc::clone(&self.admin);
        let asked = tokio::task::spawn_blocking(move || admin.inner().fetch_metadata(None, ANSWER));
        let Ok(Ok(metadata)) = asked.await else {
            return Vec::new();
        };
        let mut settings = Vec::new();
        let options = AdminOptions::new().request_timeout(Some(ANSWER));
        for broker in metadata.brokers().iter().map(|broker| broker.id()) {
            let specifiers = [ResourceSpecifier::Broker(broker)];
            let described = self.admin.describe_configs(&specifiers, &options).await;
            let found = described.into_iter().flatten().flatten();
            let values = found.filter_map(|resource| resource.get(name)?.value.clone());
            settings.extend(values.map(|value| (broker, value)));
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_that_takes_least_is_named() {
        let of = |settings: &[(i32, &str)]| {
            let settings = settings.iter();
            judge(settings.map(|(broker, value)| (*broker, (*value).to_owned())))
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(1, "4096"), (2, "?")]), None);
        let fault = of(&[(1, "4096"), (2, "512")]).unwrap();
        assert!(
            fault
                .message
                .contains("broker 2 has `offset.metadata.max.bytes=512`")
        );
    }
}
