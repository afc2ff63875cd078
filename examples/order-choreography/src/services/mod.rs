//! The services. Each knows the contracts and nothing of the others: no module here names another one.

mod customers;
mod inventory;
mod payments;
mod shipping;

use std::sync::Arc;

use events_kafka::{ClientOptions, Runtime, Services};

use crate::chaos::BadLuck;

pub(crate) use customers::Customers;
pub(crate) use inventory::Stock;
pub(crate) use payments::Till;

/// Names of the services that react, as they are given to `run`.
pub(crate) const NAMES: [&str; 4] = ["payments", "inventory", "shipping", "customers"];

/// How missing topics are made.
pub(crate) const PARTITIONS: i32 = 4;
pub(crate) const COPIES: i32 = 1;

/// What the services keep. It stands for their databases: it outlives a restart of a service within this process.
#[derive(Clone, Default)]
pub(crate) struct Databases {
    pub(crate) till: Arc<Till>,
    pub(crate) stock: Arc<Stock>,
    pub(crate) customers: Arc<Customers>,
}

impl Databases {
    /// The service `name` over its database.
    pub(crate) fn service(&self, name: &str, chaos: bool, client: &ClientOptions) -> Runtime {
        let service = Runtime::new(name)
            .client(client.clone())
            .ensure_topics(PARTITIONS, COPIES);
        let service = if chaos {
            service.middleware(BadLuck)
        } else {
            service
        };
        match name {
            "payments" => service.shared_state(self.till.clone()),
            "inventory" => service.shared_state(self.stock.clone()),
            "customers" => service.shared_state(self.customers.clone()),
            _ => service,
        }
    }

    /// All of them.
    pub(crate) fn services(&self, chaos: bool, client: &ClientOptions) -> Services {
        NAMES.iter().fold(Services::new(), |services, name| {
            services.add(self.service(name, chaos, client))
        })
    }
}
