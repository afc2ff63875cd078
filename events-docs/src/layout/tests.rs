use super::*;

fn items(count: usize, lanes: usize) -> Vec<Item> {
    let item = |index: usize| Item {
        width: 100.0,
        height: 40.0,
        lane: index % lanes,
    };
    (0..count).map(item).collect()
}

/// A few hundred links that run forward and back, the same at each run.
fn tangle(count: usize) -> Vec<(usize, usize)> {
    let link = |index: usize| (index * 7 % count, (index * 13 + 5) % count);
    (0..2 * count)
        .map(link)
        .filter(|(from, to)| from != to)
        .collect()
}

#[test]
fn time_runs_from_left_to_right_but_where_a_circle_closes() {
    let links = [(0, 1), (1, 2), (2, 3), (3, 0), (4, 3)];
    let layout = Layout::of(&items(5, 2), 2, &links);
    let backward = layout.backward.iter().filter(|backward| **backward).count();
    assert_eq!(backward, 1, "one link is enough to open the circle");
    for ((from, to), backward) in links.iter().zip(&layout.backward) {
        let (from, to) = (layout.rects[*from], layout.rects[*to]);
        assert_eq!(from.x > to.x, *backward, "{from:?} {to:?}");
    }
}

#[test]
fn everything_stands_in_its_lane_and_nothing_overlaps() {
    let items = items(120, 9);
    let layout = Layout::of(&items, 9, &tangle(120));
    for (index, (rect, item)) in layout.rects.iter().zip(&items).enumerate() {
        let band = layout.bands[item.lane];
        assert!(
            rect.y >= band.y && rect.y + rect.height <= band.y + band.height,
            "{index}"
        );
        assert!(
            rect.x >= 0.0 && rect.x + rect.width <= layout.width,
            "{index}"
        );
        for other in &layout.rects[..index] {
            let beside = rect.x >= other.x + other.width || other.x >= rect.x + rect.width;
            let apart = rect.y >= other.y + other.height || other.y >= rect.y + rect.height;
            assert!(beside || apart, "{rect:?} {other:?}");
        }
    }
    let last = layout.bands[*layout.lanes.last().unwrap()];
    assert_eq!(layout.height, last.y + last.height);
}

#[test]
fn the_same_graph_has_the_same_layout() {
    let lay = || Layout::of(&items(80, 5), 5, &tangle(80)).paths;
    assert_eq!(lay(), lay());
}

#[test]
fn lines_that_need_not_cross_do_not() {
    // Two chains in one lane, given the wrong way round at every step.
    let links = [(0, 3), (1, 2), (2, 5), (3, 4)];
    let layout = Layout::of(&items(6, 1), 1, &links);
    let is_above = |one: usize, other: usize| layout.rects[one].y < layout.rects[other].y;
    let first = is_above(0, 1);
    assert_eq!((is_above(3, 2), is_above(4, 5)), (first, first));
}

#[test]
fn lanes_that_talk_to_each_other_are_neighbours() {
    let lanes = [0, 1, 2, 3, 0, 3];
    let items = lanes.map(|lane| Item {
        width: 100.0,
        height: 40.0,
        lane,
    });
    let links = [(0, 3), (0, 5), (4, 3), (4, 5), (1, 2)];
    let layout = Layout::of(&items, 4, &links);
    let place = |lane| {
        layout
            .lanes
            .iter()
            .position(|known| *known == lane)
            .unwrap()
    };
    assert_eq!(place(0).abs_diff(place(3)), 1, "{:?}", layout.lanes);
}

#[test]
fn nothing_and_one_thing_are_laid_out_too() {
    let nothing = Layout::of(&[], 0, &[]);
    assert!(nothing.rects.is_empty() && nothing.height == 0.0);
    let alone = Layout::of(&items(1, 1), 1, &[]);
    assert_eq!((alone.rects.len(), alone.bands.len()), (1, 1));
}

#[test]
fn a_long_chain_does_not_overflow_the_stack() {
    let links: Vec<_> = (1..20_000).map(|item| (item - 1, item)).collect();
    let items = items(20_000, 1);
    let (layers, _) = layers::assign(items.len(), &links);
    assert_eq!(layers[19_999], 19_999);
}
