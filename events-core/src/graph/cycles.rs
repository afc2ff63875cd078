//! Ways round the graph.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Edge, Graph};

/// A step of the walk: an event, and the ways on from it that are not tried yet.
struct Step<'a> {
    event: &'a str,
    ways: Vec<(&'a Edge, &'a str)>,
    /// The handler by which the walk left.
    by: Option<&'a Edge>,
}

impl Graph {
    /// Every way round the graph that no handler allows, as `A → handler → B → … → A`; each cycle once.
    ///
    /// Each edge is walked once, so of cycles that share all of their edges with others not every combination is told;
    /// where a cycle is, at least one is told, and breaking all that are told breaks them all or tells the next.
    pub fn cycles(&self) -> Vec<String> {
        let by_taken = self.by_taken();
        let step = |event| {
            let readers: &[&Edge] = by_taken.get(event).map_or(&[], Vec::as_slice);
            let ways = readers.iter().flat_map(|edge| {
                let forbidden = edge
                    .emits
                    .iter()
                    .filter(|emitted| !edge.allow_cycle.contains(emitted));
                forbidden.map(|emitted| (*edge, emitted.as_str()))
            });
            // Taken from the end.
            let mut ways: Vec<_> = ways.collect();
            ways.reverse();
            Step {
                event,
                ways,
                by: None,
            }
        };
        let mut found = BTreeSet::new();
        let mut finished = BTreeSet::new();
        for event in self.events.keys() {
            if finished.contains(event.as_str()) {
                continue;
            }
            // A stack of our own: a chain of thousands of events must not overflow the thread's.
            let mut path = vec![step(event)];
            let mut places = BTreeMap::from([(event.as_str(), 0)]);
            while let Some(last) = path.last_mut() {
                let Some((edge, next)) = last.ways.pop() else {
                    finished.insert(last.event);
                    places.remove(last.event);
                    path.pop();
                    continue;
                };
                last.by = Some(edge);
                if let Some(start) = places.get(next) {
                    found.insert(describe(&path[*start..]));
                } else if !finished.contains(next) {
                    places.insert(next, path.len());
                    path.push(step(next));
                }
            }
        }
        found.into_iter().collect()
    }
}

/// Begins a cycle at its smallest event, so that one cycle has one description.
fn describe(path: &[Step<'_>]) -> String {
    let first = (0..path.len())
        .min_by_key(|index| path[*index].event)
        .unwrap_or(0);
    let mut text = String::new();
    for index in 0..path.len() {
        let step = &path[(first + index) % path.len()];
        let by = step.by.map(Edge::title).unwrap_or_default();
        let _ = write!(text, "{} → {by} → ", step.event);
    }
    text + path[first].event
}
