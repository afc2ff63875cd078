//! Where everything stands: time runs from left to right, and each service has a lane of its own.
//!
//! It is a layered layout (Sugiyama, Tagawa, Toda: 1981) whose vertices may not leave their lanes. The crates that lay out
//! graphs either know no groups or let a group be any rectangle; with lanes, who talks to whom is seen by the lines that
//! cross from one into another, and that is what the picture is for.

mod lanes;
mod layers;
mod order;
mod place;
mod route;
#[cfg(test)]
mod tests;
mod vertices;

use vertices::Vertices;

/// Something to be placed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item {
    /// In pixels, as are all lengths.
    pub(crate) width: f64,
    pub(crate) height: f64,
    pub(crate) lane: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// From top to bottom.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Band {
    pub(crate) y: f64,
    pub(crate) height: f64,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    /// As the items.
    pub(crate) rects: Vec<Rect>,
    /// As the links: SVG path data, from the first item of each to the second.
    pub(crate) paths: Vec<String>,
    /// Whether each link runs against time, which only links that close a circle do.
    pub(crate) backward: Vec<bool>,
    /// As the lanes.
    pub(crate) bands: Vec<Band>,
    /// The lanes from top to bottom.
    pub(crate) lanes: Vec<usize>,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Layout {
    /// Places `items`, which lie in `lanes` lanes and are linked by index.
    pub(crate) fn of(items: &[Item], lanes: usize, links: &[(usize, usize)]) -> Self {
        let (layers, backward) = layers::assign(items.len(), links);
        let lanes = lanes::order(items, lanes, links, &layers);
        let mut rank = vec![0; lanes.len()];
        for (place, lane) in lanes.iter().enumerate() {
            rank[*lane] = place;
        }
        let mut vertices = Vertices::of(items, links, &layers, &backward, &rank);
        order::untangle(&mut vertices);
        let placed = place::place(&vertices, items, lanes.len());
        let mut bands = vec![Band::default(); lanes.len()];
        for (place, lane) in lanes.iter().enumerate() {
            bands[*lane] = placed.bands[place];
        }
        let rects = items.iter().enumerate().map(|(index, item)| {
            let column = placed.columns[layers[index]];
            Rect {
                x: column.start,
                y: placed.centres[index] - item.height / 2.0,
                width: column.end - column.start,
                height: item.height,
            }
        });
        Self {
            rects: rects.collect(),
            paths: route::paths(&vertices, &placed, &backward),
            backward,
            bands,
            lanes,
            width: placed.width,
            height: placed.height,
        }
    }
}
