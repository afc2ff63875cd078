//! Items, and the places where long lines pass a column.

use std::collections::{BTreeMap, BTreeSet};

use super::Item;

/// The layered graph: each segment joins neighbouring layers.
pub(super) struct Vertices {
    /// Items first, by index; then passages.
    pub(super) all: Vec<Vertex>,
    /// The vertices of each layer from top to bottom.
    pub(super) layers: Vec<Vec<usize>>,
    /// For each vertex those of the layer before, and of the one behind.
    pub(super) before: Vec<Vec<usize>>,
    pub(super) behind: Vec<Vec<usize>>,
    /// For each link the vertices on its way, from left to right.
    pub(super) ways: Vec<Vec<usize>>,
}

pub(super) struct Vertex {
    pub(super) layer: usize,
    /// The lane, counted from the top.
    pub(super) lane: usize,
    /// 0 for a passage.
    pub(super) height: f64,
}

impl Vertex {
    pub(super) fn is_passage(&self) -> bool {
        self.height == 0.0
    }
}

impl Vertices {
    pub(super) fn of(
        items: &[Item],
        links: &[(usize, usize)],
        layers: &[usize],
        backward: &[bool],
        rank: &[usize],
    ) -> Self {
        let real = items.iter().zip(layers).map(|(item, layer)| Vertex {
            layer: *layer,
            lane: rank[item.lane],
            height: item.height,
        });
        let mut all: Vec<_> = real.collect();
        // Lines from one item into one lane share their passages.
        let mut passages: BTreeMap<(usize, usize, usize, bool), usize> = BTreeMap::new();
        let mut segments = BTreeSet::new();
        let mut ways = Vec::with_capacity(links.len());
        for (&(from, to), &back) in links.iter().zip(backward) {
            let (left, right) = if back { (to, from) } else { (from, to) };
            let lane = all[right].lane;
            let mut way = vec![left];
            for layer in layers[left] + 1..layers[right] {
                let passage = *passages
                    .entry((left, lane, layer, back))
                    .or_insert_with(|| {
                        all.push(Vertex {
                            layer,
                            lane,
                            height: 0.0,
                        });
                        all.len() - 1
                    });
                way.push(passage);
            }
            way.push(right);
            segments.extend(way.windows(2).map(|pair| (pair[0], pair[1])));
            ways.push(way);
        }
        let mut by_layer =
            vec![Vec::new(); all.iter().map(|vertex| vertex.layer + 1).max().unwrap_or(0)];
        for (index, vertex) in all.iter().enumerate() {
            by_layer[vertex.layer].push(index);
        }
        for layer in &mut by_layer {
            layer.sort_by_key(|vertex| all[*vertex].lane);
        }
        let (mut before, mut behind) = (vec![Vec::new(); all.len()], vec![Vec::new(); all.len()]);
        for (left, right) in segments {
            behind[left].push(right);
            before[right].push(left);
        }
        Self {
            all,
            layers: by_layer,
            before,
            behind,
            ways,
        }
    }
}
