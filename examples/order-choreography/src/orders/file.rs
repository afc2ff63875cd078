//! The orders of the file: real purchases of an online CD shop.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use order_contracts::OrderPlaced;

/// The first 10,000 orders; `data/README.md` says where they come from.
const EXCERPT: &str = include_str!("../../data/orders.csv");
const HEADER: &str = "order_id,date,customer_id,cds,amount_cents";

/// The orders of `file`, or of the excerpt; the first `limit` of them.
///
/// Ids get `run` put before them, so that a broker which remembers earlier runs does not confuse them with this one.
pub(crate) fn read(
    file: Option<&Path>,
    limit: Option<usize>,
    run: &str,
) -> Result<Vec<OrderPlaced>> {
    let (name, text) = match file {
        Some(path) => {
            let name = path.display().to_string();
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
            (name, text)
        }
        None => ("data/orders.csv".to_owned(), EXCERPT.to_owned()),
    };
    let mut lines = text.lines().zip(1..);
    ensure!(
        lines.next().is_some_and(|(line, _)| line == HEADER),
        "{name} is no file of orders: its first line must be `{HEADER}`"
    );
    let rows = lines.take(limit.unwrap_or(usize::MAX));
    let orders: Result<Vec<_>> = rows
        .map(|(line, number)| {
            order(line, run).with_context(|| format!("{name}:{number}: `{line}`"))
        })
        .collect();
    let orders = orders?;
    ensure!(!orders.is_empty(), "{name} holds no orders");
    Ok(orders)
}

fn order(line: &str, run: &str) -> Result<OrderPlaced> {
    let fields: Vec<_> = line.split(',').collect();
    let [order_id, placed_on, customer_id, cds, amount_cents] = fields[..] else {
        bail!("{} fields instead of 5", fields.len());
    };
    Ok(OrderPlaced {
        order_id: format!("{run}-{order_id}"),
        customer_id: format!("{run}-{customer_id}"),
        placed_on: placed_on.to_owned(),
        cds: cds.parse().context("`cds` is no number")?,
        amount_cents: amount_cents
            .parse()
            .context("`amount_cents` is no number")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_excerpt_holds_ten_thousand_orders_of_which_some_cost_nothing() {
        let orders = read(None, None, "test").unwrap();
        assert_eq!(orders.len(), 10_000);
        assert_eq!(orders[0].order_id, "test-000001");
        assert_eq!(
            orders
                .iter()
                .filter(|order| order.amount_cents == 0)
                .count(),
            32
        );
    }

    #[test]
    fn a_bad_row_is_named() {
        let error = order("000001,1997-01-01,00001,one,1177", "test").unwrap_err();
        assert_eq!(error.to_string(), "`cds` is no number");
        assert!(order("000001,1997-01-01", "test").is_err());
    }

    #[test]
    fn another_file_is_refused() {
        let error = read(Some(Path::new(file!())), None, "test").unwrap_err();
        assert!(format!("{error:#}").contains("file.rs"), "{error:#}");
    }
}
