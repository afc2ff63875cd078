//! Lines.

use std::fmt::Write as _;

use super::place::Placed;
use super::vertices::Vertices;

/// A line that runs back stands this far below the one that it answers.
const ASIDE: f64 = 9.0;
/// Room for the tip of the arrow.
const TIP: f64 = 2.0;

/// SVG path data of each link: level across columns, curved between them.
pub(super) fn paths(vertices: &Vertices, placed: &Placed, backward: &[bool]) -> Vec<String> {
    let ways = vertices.ways.iter().zip(backward);
    ways.map(|(way, backward)| path(vertices, placed, way, *backward))
        .collect()
}

fn path(vertices: &Vertices, placed: &Placed, way: &[usize], backward: bool) -> String {
    let mut points = Vec::with_capacity(2 * way.len());
    let last = way.len() - 1;
    for (step, vertex) in way.iter().enumerate() {
        let column = placed.columns[vertices.all[*vertex].layer];
        let aside = backward && (step == 0 || step == last);
        let y = placed.centres[*vertex] + if aside { ASIDE } else { 0.0 };
        if step > 0 {
            points.push((column.start, y));
        }
        if step < last {
            points.push((column.end, y));
        }
    }
    if backward {
        points.reverse();
    }
    let Some((&(x, y), rest)) = points.split_first() else {
        return String::new();
    };
    let tip = if backward { TIP } else { -TIP };
    let mut text = format!("M{x} {y}");
    let (mut x, mut y) = (x, y);
    for (index, &(to, level)) in rest.iter().enumerate() {
        let end = if index + 1 == rest.len() {
            to + tip
        } else {
            to
        };
        // Points come in pairs: from column to column, then across a column.
        let _ = if index % 2 == 1 || level == y {
            write!(text, "L{end} {level}")
        } else {
            let middle = (x + end) / 2.0;
            write!(text, "C{middle} {y} {middle} {level} {end} {level}")
        };
        (x, y) = (end, level);
    }
    text
}
