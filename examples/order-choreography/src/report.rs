//! What a run comes to: a table for people, an object for programs, and whether all is well.

use std::fmt;
use std::time::Duration;

use order_contracts::OrderPlaced;
use serde::Serialize;

use crate::audit::{Audit, Ending};
use crate::fleet::Counts;

/// Faults that are printed; the rest is counted.
const FAULTS_SHOWN: usize = 10;

/// What a run comes to.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    orders: usize,
    shipped: usize,
    declined: usize,
    refunded: usize,
    unfinished: usize,
    captured_cents: u64,
    refunded_cents: u64,
    events_per_second: u64,
    p50_ms: f64,
    p99_ms: f64,
    duplicates_skipped: u64,
    retried: u64,
    held: u64,
    parked: u64,
    redriven: u64,
    #[serde(skip)]
    took: Duration,
    #[serde(skip)]
    faults: Vec<String>,
}

impl Report {
    /// Adds up what the auditor saw of `orders`, and what the services counted.
    pub(crate) fn of(orders: &[OrderPlaced], audit: &Audit, counts: Counts, redriven: u64) -> Self {
        let (events, took) = audit.pace();
        let mut report = Self {
            orders: orders.len(),
            duplicates_skipped: counts.duplicates,
            retried: counts.retried,
            held: counts.held,
            parked: counts.parked,
            redriven,
            took,
            ..Self::default()
        };
        if !took.is_zero() {
            report.events_per_second = (events as f64 / took.as_secs_f64()) as u64;
        }
        let flows = audit.flows();
        let mut times = Vec::with_capacity(flows.len());
        for (order_id, flow) in &flows {
            match flow.ending() {
                Some(Ending::Shipped) => report.shipped += 1,
                Some(Ending::Declined) => report.declined += 1,
                Some(Ending::Refunded) => report.refunded += 1,
                None => {}
            }
            report.captured_cents += flow.captured_cents;
            report.refunded_cents += flow.refunded_cents;
            report.faults.extend(
                flow.fault()
                    .map(|fault| format!("order {order_id} {fault}")),
            );
            times.extend(flow.has_ended().then(|| flow.took()));
        }
        // An order that was never published is unfinished too.
        report.unfinished = report.orders - times.len();
        if flows.len() < orders.len() {
            report.faults.push(format!(
                "{} orders were not published",
                orders.len() - flows.len()
            ));
        }
        times.sort_unstable();
        report.p50_ms = millis(percentile(&times, 50));
        report.p99_ms = millis(percentile(&times, 99));
        report.check_money(orders);
        report
    }

    /// An account of somebody else that must agree with the auditor's.
    pub(crate) fn expect<T: PartialEq + fmt::Debug>(&mut self, what: &str, theirs: T, ours: T) {
        if theirs != ours {
            self.faults
                .push(format!("{what}: {theirs:?} instead of {ours:?}"));
        }
    }

    /// Cents captured and refunded.
    pub(crate) fn money(&self) -> (u64, u64) {
        (self.captured_cents, self.refunded_cents)
    }

    /// What is wrong, if anything is.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let mut text = self.faults[..self.faults.len().min(FAULTS_SHOWN)].join("\n");
        if self.faults.len() > FAULTS_SHOWN {
            text += &format!("\nand {} more", self.faults.len() - FAULTS_SHOWN);
        }
        Err(text)
    }

    /// Every order of the file is paid for, apart from those that cost nothing.
    fn check_money(&mut self, orders: &[OrderPlaced]) {
        let ordered: u64 = orders.iter().map(|order| order.amount_cents).sum();
        self.expect("money captured, by the file", self.captured_cents, ordered);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let money_in = self.captured_cents.saturating_sub(self.refunded_cents);
        let verdict = if self.faults.is_empty() {
            "as the file says"
        } else {
            "WRONG"
        };
        let mut line =
            |name: &str, value: String, note: &str| writeln!(f, "  {name:<20}{value:>14}  {note}");
        line("orders placed", self.orders.to_string(), "")?;
        line("  shipped", self.shipped.to_string(), "")?;
        line("  declined", self.declined.to_string(), "they cost nothing")?;
        line(
            "  refunded",
            self.refunded.to_string(),
            "the warehouse had too few",
        )?;
        line("  unfinished", self.unfinished.to_string(), "")?;
        line("money captured", dollars(self.captured_cents), "")?;
        line("  refunded", dollars(self.refunded_cents), "")?;
        line("money in", dollars(money_in), verdict)?;
        line(
            "events per second",
            self.events_per_second.to_string(),
            &format!("in {:.1} s", self.took.as_secs_f64()),
        )?;
        line(
            "order to last event",
            format!("{:.1} ms", self.p50_ms),
            "half of the orders were faster (p50)",
        )?;
        line(
            "",
            format!("{:.1} ms", self.p99_ms),
            "99 of 100 were faster (p99)",
        )?;
        line(
            "duplicates skipped",
            self.duplicates_skipped.to_string(),
            "",
        )?;
        line("retried", self.retried.to_string(), "attempts that failed")?;
        line(
            "held",
            self.held.to_string(),
            "records that waited at once for what a handler depends on",
        )?;
        line(
            "parked",
            self.parked.to_string(),
            "records of keys that failed every attempt, in order",
        )?;
        line(
            "redriven",
            self.redriven.to_string(),
            "dead letters, once their fault was mended",
        )
    }
}

/// The smallest value that is not exceeded by `percent` of the sorted `times`.
fn percentile(times: &[Duration], percent: usize) -> Duration {
    let rank = (times.len() * percent).div_ceil(100).max(1);
    times.get(rank - 1).copied().unwrap_or_default()
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

fn dollars(cents: u64) -> String {
    format!("${}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let times: Vec<_> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Duration::from_millis(100));
        assert_eq!(percentile(&times, 99), Duration::from_millis(198));
        assert_eq!(percentile(&times[..1], 99), Duration::from_millis(1));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn the_object_has_exactly_the_promised_fields() {
        let object = serde_json::to_value(Report::default()).unwrap();
        let mut fields: Vec<_> = object.as_object().unwrap().keys().cloned().collect();
        fields.sort();
        let promised = "captured_cents declined duplicates_skipped events_per_second held orders p50_ms p99_ms parked redriven refunded refunded_cents retried shipped unfinished";
        assert_eq!(fields.join(" "), promised);
    }

    #[test]
    fn an_order_that_never_ended_is_unfinished_and_a_fault() {
        let orders = crate::orders::read(None, Some(2), "test").unwrap();
        let report = Report::of(&orders, &Audit::new(1), Counts::default(), 0);
        assert_eq!(report.unfinished, 2);
        assert!(
            report
                .verdict()
                .unwrap_err()
                .contains("2 orders were not published")
        );
    }
}
