//! The picture as SVG: alone, and inside of the page.

use std::fmt::Write as _;

use crate::colours::colours;
use crate::escape::markup;
use crate::layout::Rect;
use crate::measure;
use crate::picture::{INSET, Kind, Node, Picture, severity};

const STYLE: &str = include_str!("page/picture.css");
/// Room for the names of services, left of the lanes.
const RAIL: f64 = 152.0;
const RAIL_INSET: f64 = 20.0;
const SERVICE: f64 = 13.0;
/// Above and below.
const BORDER: f64 = 12.0;

impl Picture {
    /// A picture that stands alone: light or dark as the reader's system is, with the full names where names are cut.
    pub fn to_svg(&self) -> String {
        let (width, height) = (self.layout.width + RAIL, self.layout.height + 2.0 * BORDER);
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-labelledby=\"title\">\n<title id=\"title\">{}</title>\n<style>\n{}{STYLE}</style>\n<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n<g transform=\"translate(0 {BORDER})\">\n",
            markup(&self.spoken()),
            colours()
        );
        for (lane, band) in self.lanes.iter().zip(&self.layout.bands) {
            let (x, y) = (RAIL_INSET, band.y + band.height / 2.0);
            let name = measure::fit(&lane.name, SERVICE, RAIL - 1.5 * RAIL_INSET);
            let _ = writeln!(
                text,
                "<text class=\"service{}\" x=\"{x}\" y=\"{y}\" dy=\"0.35em\"><title>{}</title>{}</text>",
                if lane.outside { " outside" } else { "" },
                markup(&lane.name),
                markup(&name)
            );
        }
        self.bands(&mut text, width, 0.0);
        let _ = writeln!(text, "<g transform=\"translate({RAIL} 0)\">");
        self.content(&mut text);
        text.push_str("</g>\n</g>\n</svg>\n");
        text
    }

    /// For the page, which has its own names of services and moves what is in `#world`.
    pub(crate) fn to_inline_svg(&self) -> String {
        let (width, height) = (self.layout.width, self.layout.height);
        let mut text = format!(
            "<svg id=\"picture\" viewBox=\"0 0 {width} {height}\" data-width=\"{width}\" data-height=\"{height}\" role=\"group\" aria-label=\"{}\" aria-describedby=\"keys\" focusable=\"false\">\n<g id=\"world\">\n",
            markup(&self.spoken())
        );
        self.bands(&mut text, width + 40_000.0, -20_000.0);
        self.content(&mut text);
        text.push_str("</g>\n</svg>");
        text
    }

    fn spoken(&self) -> String {
        let count = |events: bool| {
            let nodes = self.nodes.iter();
            nodes
                .filter(|node| (node.kind != Kind::Handler) == events)
                .count()
        };
        format!(
            "Choreography of {}: {} events, {} handlers",
            self.title,
            count(true),
            count(false)
        )
    }

    fn bands(&self, text: &mut String, width: f64, x: f64) {
        for (place, lane) in self.layout.lanes.iter().enumerate() {
            let band = self.layout.bands[*lane];
            let _ = writeln!(
                text,
                "<rect class=\"band{}\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"{}\"/>",
                if place % 2 == 0 { "" } else { " odd" },
                band.y,
                band.height
            );
        }
    }

    fn content(&self, text: &mut String) {
        text.push_str("<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path class=\"tip\" d=\"M0.5 0.5 L7.5 4 L0.5 7.5 z\"/></marker></defs>\n<g class=\"links\" aria-hidden=\"true\">\n");
        for (index, link) in self.links.iter().enumerate() {
            let mut class = String::from("link");
            if link.failure {
                class.push_str(" failure");
            }
            if self.layout.backward[index] {
                class.push_str(" backward");
            }
            let _ = writeln!(
                text,
                "<path class=\"{class}\" data-from=\"{}\" data-to=\"{}\" d=\"{}\" marker-end=\"url(#tip)\"/>",
                self.nodes[link.from].id, self.nodes[link.to].id, self.layout.paths[index]
            );
        }
        text.push_str("</g>\n");
        // In the order in which they are read: by column, then from top to bottom.
        let mut order: Vec<_> = self.nodes.iter().zip(&self.layout.rects).collect();
        order.sort_by(|(_, one), (_, other)| {
            one.x.total_cmp(&other.x).then(one.y.total_cmp(&other.y))
        });
        for (node, rect) in order {
            draw(text, node, *rect);
        }
    }
}

fn draw(text: &mut String, node: &Node, rect: Rect) {
    let Rect {
        x,
        y,
        width,
        height,
    } = rect;
    let mut class = format!("node {}", node.kind.word());
    for (is, word) in [(node.deprecated, " deprecated"), (node.failure, " failure")] {
        if is {
            class.push_str(word);
        }
    }
    let radius = match node.kind {
        Kind::Event => height / 2.0,
        Kind::Command => 14.0,
        Kind::Handler => 8.0,
    };
    let found = node
        .severity
        .map_or_else(String::new, |found| format!(", with {}s", severity(found)));
    let _ = write!(
        text,
        "<g id=\"{}\" class=\"{class}\" transform=\"translate({x} {y})\" aria-label=\"{}\"><title>{}</title><rect class=\"box\" width=\"{width}\" height=\"{height}\" rx=\"{radius}\"/>",
        node.id,
        markup(&format!("{}{found}", node.spoken)),
        markup(&node.name),
    );
    let middle = width / 2.0;
    let (at, anchor) = match node.kind {
        Kind::Handler => (INSET, "start"),
        Kind::Event | Kind::Command => (middle, "middle"),
    };
    let _ = write!(
        text,
        "<text class=\"name\" x=\"{at}\" y=\"21\" text-anchor=\"{anchor}\">{}</text><text class=\"note\" x=\"{at}\" y=\"37\" text-anchor=\"{anchor}\">{}</text>",
        markup(&node.label),
        markup(&node.note)
    );
    if let Some(found) = node.severity {
        let _ = write!(
            text,
            "<g class=\"mark {}\" transform=\"translate({} 2)\"><circle r=\"8\"/><text y=\"4\" text-anchor=\"middle\">{}</text></g>",
            severity(found),
            width - 8.0,
            if severity(found) == "note" { "i" } else { "!" }
        );
    }
    text.push_str("</g>\n");
}
