//! Which column an item stands in: behind everything that leads to it.

/// The layer of each item, and which links run backwards for it.
pub(super) fn assign(count: usize, links: &[(usize, usize)]) -> (Vec<usize>, Vec<bool>) {
    let backward = closing(count, links);
    let forward = links.iter().zip(&backward).map(
        |(link, back)| {
            if *back { (link.1, link.0) } else { *link }
        },
    );
    let forward: Vec<_> = forward.filter(|(from, to)| from != to).collect();
    let mut next = vec![Vec::new(); count];
    let mut open = vec![0usize; count];
    for &(from, to) in &forward {
        next[from].push(to);
        open[to] += 1;
    }
    let first: Vec<_> = (0..count).filter(|item| open[*item] == 0).collect();
    let mut layers = vec![0usize; count];
    let mut ready = first.clone();
    while let Some(item) = ready.pop() {
        for &to in &next[item] {
            layers[to] = layers[to].max(layers[item] + 1);
            open[to] -= 1;
            if open[to] == 0 {
                ready.push(to);
            }
        }
    }
    // What comes from outside stands right before whoever needs it first.
    for item in first {
        let nearest = next[item].iter().map(|to| layers[*to]).min();
        layers[item] = nearest.map_or(0, |layer| layer.saturating_sub(1));
    }
    (layers, backward)
}

/// The links that close a circle in a walk from the items to which nothing leads.
fn closing(count: usize, links: &[(usize, usize)]) -> Vec<bool> {
    let mut ways = vec![Vec::new(); count];
    let mut led_to = vec![false; count];
    for (index, &(from, to)) in links.iter().enumerate().rev() {
        ways[from].push((index, to));
        led_to[to] = true;
    }
    let mut backward = vec![false; links.len()];
    let (mut seen, mut open) = (vec![false; count], vec![false; count]);
    let (led, free): (Vec<_>, Vec<_>) = (0..count).partition(|item| led_to[*item]);
    for start in free.into_iter().chain(led) {
        if seen[start] {
            continue;
        }
        seen[start] = true;
        open[start] = true;
        // A stack of our own: a chain of thousands of events must not overflow the thread's.
        let mut path = vec![start];
        while let Some(&last) = path.last() {
            let Some((link, to)) = ways[last].pop() else {
                open[last] = false;
                path.pop();
                continue;
            };
            backward[link] = open[to];
            if !seen[to] {
                seen[to] = true;
                open[to] = true;
                path.push(to);
            }
        }
    }
    backward
}
