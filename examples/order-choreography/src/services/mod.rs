//! The services. Each knows the contracts and nothing of the others: no module here names another one.

mod customers;
mod inventory;
mod payments;
mod shipping;

use std::sync::Arc;

use events_kafka::{ClientOptions, Runtime, Services};

use crate::chaos::Chaos;
use crate::traces;

pub(crate) use customers::Customers;
pub(crate) use inventory::Stock;
pub(crate) use payments::Till;

/// Names of the services that react, as they are given to `run`.
pub(crate) const NAMES: [&str; 4] = ["payments", "inventory", "shipping", "customers"];

/// How missing topics are made.
pub(crate) const PARTITIONS: i32 = 4;
pub(crate) const COPIES: i32 = 1;

/// What the services keep. It stands for their databases: it outlives a restart of a service within this process.
#[derive(Default)]
pub(crate) struct Databases {
    pub(crate) till: Arc<Till>,
    pub(crate) stock: Arc<Stock>,
    pub(crate) customers: Arc<Customers>,
    /// What goes wrong in them on purpose, if anything does.
    pub(crate) chaos: Option<Chaos>,
}

impl Databases {
    /// Empty ones, with chaos or without.
    pub(crate) fn new(chaos: bool) -> Self {
        if !chaos {
            return Self::default();
        }
        Self {
            till: Arc::new(Till::with_outage()),
            chaos: Some(Chaos::default()),
            ..Self::default()
        }
    }

    /// The service `name` over its database.
    pub(crate) fn service(&self, name: &str, client: &ClientOptions) -> Runtime {
        let service = Runtime::new(name)
            .client(client.clone())
            .ensure_topics(PARTITIONS, COPIES);
        let service = traces::of_service(service);
        let service = match &self.chaos {
            Some(chaos) => chaos.befall(service),
            None => service,
        };
        match name {
            "payments" => service.shared_state(self.till.clone()),
            "inventory" => service.shared_state(self.stock.clone()),
            "customers" => service.shared_state(self.customers.clone()),
            _ => service,
        }
    }

    /// All of them.
    pub(crate) fn services(&self, client: &ClientOptions) -> Services {
        NAMES.iter().fold(Services::new(), |services, name| {
            services.add(self.service(name, client))
        })
    }
}
