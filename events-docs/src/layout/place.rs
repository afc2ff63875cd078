//! Coordinates.

use super::vertices::{Vertex, Vertices};
use super::{Band, Item};

/// Between items of a column, between a line and what is beside it, and from a lane's edge.
const GAP: f64 = 18.0;
const TRACK: f64 = 12.0;
const PADDING: f64 = 20.0;
const LOWEST_LANE: f64 = 84.0;
/// From the left and the right edge to the first and the last column.
const MARGIN: f64 = 28.0;
/// Between columns: a little wider where more lines turn.
const CHANNEL: f64 = 48.0;
const WIDEST_CHANNEL: f64 = 112.0;
const SWEEPS: usize = 120;

pub(super) struct Placed {
    /// The middle of each vertex.
    pub(super) centres: Vec<f64>,
    pub(super) columns: Vec<Column>,
    /// From top to bottom.
    pub(super) bands: Vec<Band>,
    pub(super) width: f64,
    pub(super) height: f64,
}

#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) start: f64,
    pub(super) end: f64,
}

/// Vertices of one layer in one lane, from top to bottom.
struct Stack {
    vertices: Vec<usize>,
    /// The middle of each below that of the first.
    offsets: Vec<f64>,
    /// How high and how low the middle of the first may stand.
    range: (f64, f64),
}

pub(super) fn place(vertices: &Vertices, items: &[Item], lanes: usize) -> Placed {
    let (columns, width) = columns(vertices, items);
    let (mut stacks, bands) = stacks(vertices, lanes);
    let mut centres = vec![0.0; vertices.all.len()];
    for stack in &stacks {
        let middle = (stack.range.0 + stack.range.1) / 2.0;
        for (vertex, offset) in stack.vertices.iter().zip(&stack.offsets) {
            centres[*vertex] = middle + offset;
        }
    }
    for _ in 0..SWEEPS {
        for stack in &stacks {
            stack.settle(vertices, &mut centres);
        }
        // To and fro.
        stacks.reverse();
    }
    for centre in &mut centres {
        *centre = centre.round();
    }
    Placed {
        centres,
        columns,
        height: bands.last().map_or(0.0, |band| band.y + band.height),
        bands,
        width,
    }
}

fn columns(vertices: &Vertices, items: &[Item]) -> (Vec<Column>, f64) {
    let mut columns = Vec::with_capacity(vertices.layers.len());
    let mut x = MARGIN;
    for layer in &vertices.layers {
        let real = layer.iter().filter_map(|vertex| items.get(*vertex));
        let width = real.map(|item| item.width).fold(0.0, f64::max);
        columns.push(Column {
            start: x,
            end: x + width,
        });
        let turning: usize = layer
            .iter()
            .map(|vertex| vertices.behind[*vertex].len())
            .sum();
        x += width + (CHANNEL + turning as f64).min(WIDEST_CHANNEL);
    }
    let end = columns.last().map_or(MARGIN, |column| column.end);
    (columns, end + MARGIN)
}

fn stacks(vertices: &Vertices, lanes: usize) -> (Vec<Stack>, Vec<Band>) {
    let mut stacks: Vec<(usize, Stack)> = Vec::new();
    let mut heights = vec![LOWEST_LANE; lanes];
    for layer in &vertices.layers {
        for of_lane in
            layer.chunk_by(|one, other| vertices.all[*one].lane == vertices.all[*other].lane)
        {
            let vertex = |index: usize| &vertices.all[of_lane[index]];
            let mut offsets = vec![0.0];
            for below in 1..of_lane.len() {
                offsets.push(offsets[below - 1] + apart(vertex(below - 1), vertex(below)));
            }
            let last = of_lane.len() - 1;
            // Halves at both ends for now.
            let range = (vertex(0).height / 2.0, vertex(last).height / 2.0);
            let height = range.0 + offsets[last] + range.1 + 2.0 * PADDING;
            let lane = vertex(0).lane;
            heights[lane] = f64::max(heights[lane], height);
            let vertices = of_lane.to_vec();
            stacks.push((
                lane,
                Stack {
                    vertices,
                    offsets,
                    range,
                },
            ));
        }
    }
    let mut y = 0.0;
    let bands: Vec<_> = heights
        .into_iter()
        .map(|height| {
            let band = Band { y, height };
            y += height;
            band
        })
        .collect();
    let stacks = stacks.into_iter().map(|(lane, mut stack)| {
        let Band { y, height } = bands[lane];
        let span = stack.offsets.last().copied().unwrap_or(0.0);
        let top = y + PADDING + stack.range.0;
        let bottom = y + height - PADDING - stack.range.1 - span;
        stack.range = (top, bottom.max(top));
        stack
    });
    (stacks.collect(), bands)
}

fn apart(upper: &Vertex, lower: &Vertex) -> f64 {
    let gap = if upper.is_passage() || lower.is_passage() {
        TRACK
    } else {
        GAP
    };
    (upper.height + lower.height) / 2.0 + gap
}

impl Stack {
    /// Moves each vertex as near to its neighbours' middle as order and distances allow: the least sum of squares, by
    /// pooling those that would overtake each other.
    fn settle(&self, vertices: &Vertices, centres: &mut [f64]) {
        // Sum of weighted wishes, sum of weights, number of vertices.
        let mut pools: Vec<(f64, f64, usize)> = Vec::with_capacity(self.vertices.len());
        for (vertex, offset) in self.vertices.iter().zip(&self.offsets) {
            let (wish, weight) = wish(vertices, *vertex, centres);
            let mut pool = ((wish - offset) * weight, weight, 1);
            while let Some(above) = pools.last().copied() {
                if above.0 / above.1 <= pool.0 / pool.1 {
                    break;
                }
                pool = (pool.0 + above.0, pool.1 + above.1, pool.2 + above.2);
                pools.pop();
            }
            pools.push(pool);
        }
        let mut each = self.vertices.iter().zip(&self.offsets);
        for (sum, weight, number) in pools {
            let first = (sum / weight).clamp(self.range.0, self.range.1);
            for (vertex, offset) in each.by_ref().take(number) {
                centres[*vertex] = first + offset;
            }
        }
    }
}

/// The mean of a vertex' neighbours, and how much it counts. Lines that pass want to be straight most of all.
fn wish(vertices: &Vertices, vertex: usize, centres: &[f64]) -> (f64, f64) {
    let passing = vertices.all[vertex].is_passage();
    let (mut sum, mut weight) = (0.0, 0.0);
    for other in vertices.before[vertex]
        .iter()
        .chain(&vertices.behind[vertex])
    {
        let counts = match (passing, vertices.all[*other].is_passage()) {
            (true, true) => 24.0,
            (false, false) => 2.0,
            _ => 1.0,
        };
        sum += counts * centres[*other];
        weight += counts;
    }
    if weight == 0.0 {
        return (centres[vertex], 0.1);
    }
    (sum / weight, weight)
}
