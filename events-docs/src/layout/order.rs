//! The order in each column, with few crossings.

use super::vertices::Vertices;

const SWEEPS: usize = 16;

/// Sorts each layer by where its neighbours stand, to and fro, and keeps the best order found. Nothing leaves its lane.
pub(super) fn untangle(vertices: &mut Vertices) {
    let mut best = vertices.layers.clone();
    let mut fewest = crossings(vertices);
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let count = vertices.layers.len();
        let forward = sweep % 2 == 0;
        for step in 0..count {
            let layer = if forward { step } else { count - 1 - step };
            sort(vertices, layer, forward);
        }
        let now = crossings(vertices);
        if now < fewest {
            fewest = now;
            best.clone_from(&vertices.layers);
        }
    }
    vertices.layers = best;
}

fn sort(vertices: &mut Vertices, layer: usize, forward: bool) {
    let place = places(vertices);
    let neighbours = if forward {
        &vertices.before
    } else {
        &vertices.behind
    };
    let mean = |vertex: usize| {
        let of = &neighbours[vertex];
        if of.is_empty() {
            return place[vertex];
        }
        of.iter().map(|other| place[*other]).sum::<f64>() / of.len() as f64
    };
    let all = &vertices.all;
    vertices.layers[layer].sort_by(|one, other| {
        let lanes = all[*one].lane.cmp(&all[*other].lane);
        lanes.then_with(|| mean(*one).total_cmp(&mean(*other)))
    });
}

/// Each vertex' place in its layer, from 0 to 1, so that layers of different sizes compare.
fn places(vertices: &Vertices) -> Vec<f64> {
    let mut place = vec![0.0; vertices.all.len()];
    for layer in &vertices.layers {
        for (index, vertex) in layer.iter().enumerate() {
            place[*vertex] = (index as f64 + 0.5) / layer.len() as f64;
        }
    }
    place
}

/// How often lines between neighbouring layers cross: inversions, counted with a tree of sums.
fn crossings(vertices: &Vertices) -> usize {
    let mut index = vec![0; vertices.all.len()];
    for layer in &vertices.layers {
        for (place, vertex) in layer.iter().enumerate() {
            index[*vertex] = place;
        }
    }
    let mut total = 0;
    for pair in vertices.layers.windows(2) {
        let mut sums = vec![0usize; pair[1].len() + 1];
        let mut seen = 0;
        for left in &pair[0] {
            let mut ends: Vec<_> = vertices.behind[*left].iter().map(|to| index[*to]).collect();
            ends.sort_unstable();
            for end in &ends {
                total += seen - up_to(&sums, *end + 1);
            }
            for end in &ends {
                let mut at = end + 1;
                while at < sums.len() {
                    sums[at] += 1;
                    at += at & at.wrapping_neg();
                }
            }
            seen += ends.len();
        }
    }
    total
}

fn up_to(sums: &[usize], mut at: usize) -> usize {
    let mut sum = 0;
    while at > 0 {
        sum += sums[at];
        at &= at - 1;
    }
    sum
}
