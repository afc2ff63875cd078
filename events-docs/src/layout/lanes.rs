//! The order of lanes from top to bottom.

use std::collections::BTreeMap;

use super::Item;

/// Beyond it, exchanges of every pair would be felt.
const MOST_EXCHANGED: usize = 200;

/// First come, first served; then neighbours change places as long as that makes lines between lanes shorter.
pub(super) fn order(
    items: &[Item],
    lanes: usize,
    links: &[(usize, usize)],
    layers: &[usize],
) -> Vec<usize> {
    // Sum and number of layers of each lane; a lane without items comes last.
    let mut sums = vec![(0usize, 0usize); lanes];
    for (item, layer) in items.iter().zip(layers) {
        let (sum, number) = &mut sums[item.lane];
        *sum += layer;
        *number += 1;
    }
    let mut order: Vec<usize> = (0..lanes).collect();
    order.sort_by(|one, other| {
        // Mean layers, compared without dividing.
        let ((a, n), (b, m)) = (sums[*one], sums[*other]);
        (n == 0).cmp(&(m == 0)).then((a * m).cmp(&(b * n)))
    });
    let mut weights: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for &(from, to) in links {
        let (from, to) = (items[from].lane, items[to].lane);
        if from != to {
            *weights.entry((from, to)).or_default() += 1.0;
            *weights.entry((to, from)).or_default() += 1.0;
        }
    }
    let mut partners = vec![Vec::new(); lanes];
    for ((from, to), weight) in weights {
        partners[from].push((to, weight));
    }
    shorten(&mut order, &partners);
    order
}

/// Moves single lanes to where the lines are shortest, until none gains.
fn shorten(order: &mut [usize], partners: &[Vec<(usize, f64)>]) {
    if order.len() > MOST_EXCHANGED {
        return;
    }
    let length = |order: &[usize]| -> f64 {
        let mut place = vec![0.0; order.len()];
        for (index, lane) in order.iter().enumerate() {
            place[*lane] = index as f64;
        }
        let of = |(lane, partners): (usize, &Vec<(usize, f64)>)| -> f64 {
            let each = partners.iter();
            each.map(|(other, weight)| weight * f64::abs(place[lane] - place[*other]))
                .sum()
        };
        partners.iter().enumerate().map(of).sum()
    };
    let mut best = length(order);
    // Each round lets each pair of neighbours change places once. A few rounds settle it.
    for _ in 0..order.len().min(24) {
        let before = best;
        for upper in 0..order.len().saturating_sub(1) {
            order.swap(upper, upper + 1);
            let now = length(order);
            if now < best {
                best = now;
            } else {
                order.swap(upper, upper + 1);
            }
        }
        if best >= before {
            return;
        }
    }
}
