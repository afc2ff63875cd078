//! `docs/failures.md`: each row names the test that holds it, and the test exists.

use std::fs;
use std::path::Path;

use crate::sources::root;

const PAGE: &str = "docs/failures.md";
/// Scenarios of the fault bench have names with dashes, which stand in this list.
const SCENARIOS: &str = "tests/faults/bench/scenarios";
/// Scenarios of the conformance suite run only if its list names them.
const CONFORMANCE: &str = "events-testkit/src/conformance";

/// A link with a name in code: ``[`name`](../path)``.
struct Link<'a> {
    name: &'a str,
    path: &'a str,
}

fn links(text: &str) -> Vec<Link<'_>> {
    let mut links = Vec::new();
    for part in text.split("[`").skip(1) {
        if let Some((name, rest)) = part.split_once("`](../")
            && let Some((path, _)) = rest.split_once(')')
            && !name.contains('[')
        {
            links.push(Link { name, path });
        }
    }
    links
}

/// What is wrong with a link, if anything is.
fn fault(root: &Path, link: &Link<'_>) -> Option<String> {
    let Link { name, path } = link;
    let Ok(text) = fs::read_to_string(root.join(path)) else {
        return Some(format!("`{name}`: there is no file {path}"));
    };
    let (text, wanted) = if path.starts_with(SCENARIOS) {
        let list = root.join(SCENARIOS).join("mod.rs");
        let list = fs::read_to_string(list).expect("the fault bench lists its scenarios");
        let module = Path::new(path).file_stem()?.to_str()?.to_owned();
        let line = list.lines().find(|line| {
            line.contains(&format!("\"{name}\" \"")) && line.contains(&format!(" {module}::"))
        });
        (line.unwrap_or_default().to_owned(), format!("\"{name}\""))
    } else {
        (text, format!("fn {name}"))
    };
    let found = text.match_indices(&wanted).any(|(at, _)| {
        let next = text[at + wanted.len()..].chars().next();
        next.is_some_and(|next| "(<\" ".contains(next))
    });
    if !found {
        return Some(format!("`{name}` is not in {path}"));
    }
    let list = root.join(CONFORMANCE).join("tests.rs");
    let list = fs::read_to_string(list).expect("the conformance suite lists its scenarios");
    let is_run =
        !path.starts_with(CONFORMANCE) || list.split_whitespace().any(|word| word == *name);
    (!is_run).then(|| format!("`{name}` is in {path}, but the suite does not list it"))
}

#[test]
fn every_failure_names_a_test_that_exists() {
    let root = root();
    let page = fs::read_to_string(root.join(PAGE)).expect("the page of failures");
    let mut faults = Vec::new();
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| when "));
    let mut count = 0;
    for row in rows {
        count += 1;
        if links(row).is_empty() {
            faults.push(format!("no test: {row}"));
        }
    }
    assert!(count > 50, "only {count} rows were found");
    faults.extend(links(&page).iter().filter_map(|link| fault(&root, link)));
    assert!(
        faults.is_empty(),
        "{PAGE}:\n  {}\neach row links a test by its function, or a scenario of the fault bench by its name",
        faults.join("\n  ")
    );
}

#[test]
fn a_link_to_nothing_is_seen() {
    let broken = |text: &str| {
        let links = links(text);
        assert_eq!(links.len(), 1, "{text}");
        fault(&root(), &links[0])
    };
    let here = "tests/architecture/failures.rs";
    assert_eq!(broken(&format!("[`fault`](../{here})")), None);
    assert!(broken(&format!("[`faul`](../{here})")).is_some());
    assert!(broken("[`fault`](../tests/architecture/nowhere.rs)").is_some());
    assert_eq!(
        broken(&format!("[`zombie`](../{SCENARIOS}/zombie.rs)")),
        None
    );
    assert!(broken(&format!("[`zombie`](../{SCENARIOS}/hang.rs)")).is_some());
    assert!(broken(&format!("[`hang`](../{SCENARIOS}/zombie.rs)")).is_some());
    assert_eq!(
        broken(&format!(
            "[`duplicates_are_skipped`](../{CONFORMANCE}/progress.rs)"
        )),
        None
    );
    assert!(broken(&format!("[`start`](../{CONFORMANCE}/stage.rs)")).is_some());
}

#[test]
fn the_page_is_linked_from_where_people_begin() {
    for page in ["README.md", "ARCHITECTURE.md"] {
        let text = fs::read_to_string(root().join(page)).expect("a page at the top");
        assert!(
            text.contains(&format!("({PAGE})")),
            "{page} does not link {PAGE}"
        );
    }
}
