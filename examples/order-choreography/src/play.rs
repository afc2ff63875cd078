//! A run: places the orders, follows them to their endings, and adds up.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use events_kafka::{ClientOptions, Producer, Receipt, Runtime};
use order_contracts::OrderPlaced;

use crate::arguments::Arguments;
use crate::audit::Audit;
use crate::chaos::{self, Chaos};
use crate::fleet::Fleet;
use crate::orders::{self, SOURCE, Shop};
use crate::progress::Progress;
use crate::redrive::redrive;
use crate::report::Report;
use crate::services::{COPIES, Databases, PARTITIONS};
use crate::traces;

/// How long no order may end before those that are under way count as unfinished.
const STALL: Duration = Duration::from_secs(30);
/// How long the projection may take for what is redriven.
const CATCH_UP: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);
const FAREWELL: Duration = Duration::from_secs(10);

/// A run in this process: the shop's front, the auditor, and those of the services that are named.
pub(crate) struct Play<'a> {
    arguments: &'a Arguments,
    client: ClientOptions,
    databases: Databases,
    orders: Vec<OrderPlaced>,
    run: String,
}

impl<'a> Play<'a> {
    /// Reads the orders.
    pub(crate) fn new(arguments: &'a Arguments, client: ClientOptions) -> Result<Self> {
        let run = arguments.run_id();
        let orders = orders::read(arguments.orders.as_deref(), arguments.limit, &run)?;
        Ok(Self {
            arguments,
            client,
            databases: Databases::new(arguments.chaos),
            orders,
            run,
        })
    }

    /// Plays it, with the services that are named in this process.
    pub(crate) async fn run(&self, services: &[&str]) -> Result<Report> {
        let audit = Arc::new(Audit::new(self.arguments.window));
        let fleet = Fleet::default();
        for name in services {
            fleet.start(self.service(name)).await?;
        }
        let auditor = Runtime::new("audit")
            .client(self.client.clone())
            .ensure_topics(PARTITIONS, COPIES);
        let auditor = traces::of_service(auditor.shared_state(audit.clone()));
        fleet.start(auditor).await?;

        let cluster = match self.client.address() {
            Some(address) if !self.client.is_embedded() => address,
            _ => "the embedded cluster, which ends with this process",
        };
        tracing::info!("placing {} orders on {cluster}", self.orders.len());
        let producer = Producer::connect(SOURCE, self.client.clone())?;
        let shop = Shop::new(producer.clone());
        let mut progress = Progress::new(self.orders.len());
        tokio::select! {
            () = follow(&audit, self.orders.len(), &mut progress) => {}
            Err(error) = self.place_all(&shop, &audit, &fleet) => return Err(error),
            () = fleet.watch() => {}
            _ = tokio::signal::ctrl_c() => {
                fleet.stop_all().await?;
                bail!("interrupted");
            }
        }
        drop(progress);
        fleet.settle().await;
        let redriven = match &self.databases.chaos {
            Some(chaos) if fleet.has(chaos::MENDED.0) => self.mend(chaos, &fleet).await?,
            _ => 0,
        };
        producer.close(FAREWELL).await;
        let counts = fleet.stop_all().await?;
        let mut report = Report::of(&self.orders, &audit, counts, redriven);
        self.compare(&mut report, services);
        Ok(report)
    }

    /// Places the orders, at most a window of them at a time.
    async fn place_all(&self, shop: &Shop, audit: &Audit, fleet: &Fleet) -> Result<()> {
        let mut receipts = Vec::with_capacity(self.orders.len());
        for (index, order) in self.orders.iter().enumerate() {
            audit.admit(order).await;
            if !self.arguments.chaos {
                receipts.push(shop.place(order).await?);
                continue;
            }
            receipts.push(shop.place_by_id(order).await?);
            if index > 0 && chaos::is_placed_twice(index) {
                receipts.push(shop.place_by_id(order).await?);
            }
            if index == self.orders.len() / 2 {
                receipts.push(self.restart(shop, audit, fleet).await?);
            }
        }
        Shop::written(receipts).await
    }

    /// Restarts a service while orders are under way, and places an order again that was done before.
    async fn restart(&self, shop: &Shop, audit: &Audit, fleet: &Fleet) -> Result<Receipt> {
        let first = &self.orders[0];
        audit.ending_of(&first.order_id).await;
        if fleet.has(chaos::RESTARTED) {
            fleet.stop(chaos::RESTARTED).await?;
            fleet.start(self.service(chaos::RESTARTED)).await?;
            tracing::info!("`{}` was restarted midway", chaos::RESTARTED);
        }
        shop.place_by_id(first).await
    }

    /// Mends the projection, and has redriven what it gave up; answers how many records that were.
    async fn mend(&self, chaos: &Chaos, fleet: &Fleet) -> Result<u64> {
        let (service, handler) = chaos::MENDED;
        chaos.mend();
        let address = fleet.address().unwrap_or_default();
        let redriven = redrive(handler, &address).await?;
        tracing::info!("`{service}` is mended: {redriven} dead letters were redriven");
        let known = || self.databases.customers.totals(&self.run).0;
        let caught_up = async {
            while known() < self.orders.len() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        // If it does not, the report says which number is wrong.
        let _ = tokio::time::timeout(CATCH_UP, caught_up).await;
        fleet.settle().await;
        Ok(redriven)
    }

    fn service(&self, name: &str) -> Runtime {
        self.databases.service(name, &self.client)
    }

    /// The services' own books must say what the auditor's say.
    fn compare(&self, report: &mut Report, services: &[&str]) {
        let money = report.money();
        if services.contains(&"payments") {
            report.expect(
                "the till's money",
                self.databases.till.totals(&self.run),
                money,
            );
        }
        if services.contains(&"customers") {
            let ordered: u64 = self.orders.iter().map(|order| order.amount_cents).sum();
            let known = self.databases.customers.totals(&self.run);
            report.expect(
                "orders and cents of all customers",
                known,
                (self.orders.len(), ordered),
            );
        }
    }
}

/// Shows how many orders have ended, until all of them have or no more of them end.
async fn follow(audit: &Audit, total: usize, progress: &mut Progress) {
    let mut ended = audit.ended();
    loop {
        let now = *ended.borrow_and_update();
        progress.show(now);
        if now >= total {
            return;
        }
        if tokio::time::timeout(STALL, ended.changed()).await.is_err() {
            tracing::error!(
                "no order has ended for {STALL:?}: {} are missing",
                total - now
            );
            return;
        }
    }
}
