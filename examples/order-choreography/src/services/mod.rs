//! The services. Each knows the contracts and nothing of the others: no module here names another one.

mod customers;
mod inventory;
mod payments;
mod shipping;

use events_kafka::{Runtime, Services};

pub(crate) use customers::Customers;
pub(crate) use inventory::Stock;
pub(crate) use payments::Till;

/// Names of the services that react, as they are given to `run`.
pub(crate) const NAMES: [&str; 4] = ["payments", "inventory", "shipping", "customers"];

/// What the services keep. It stands for their databases: it outlives a restart of a service within this process.
#[derive(Clone, Default)]
pub(crate) struct Databases {
    pub(crate) till: std::sync::Arc<Till>,
    pub(crate) stock: std::sync::Arc<Stock>,
    pub(crate) customers: std::sync::Arc<Customers>,
}

impl Databases {
    /// The service `name` over its database.
    pub(crate) fn service(&self, name: &str) -> Runtime {
        let service = Runtime::new(name).ensure_topics(4, 1);
        match name {
            "payments" => service.shared_state(self.till.clone()),
            "inventory" => service.shared_state(self.stock.clone()),
            "customers" => service.shared_state(self.customers.clone()),
            _ => service,
        }
    }

    /// All of them.
    pub(crate) fn services(&self) -> Services {
        NAMES.iter().fold(Services::new(), |services, name| services.add(self.service(name)))
    }
}
