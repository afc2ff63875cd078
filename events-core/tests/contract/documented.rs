//! `docs/contracts.md` says what the rules are.

use events_core::contract::Rule;

use crate::table::cases;

const PAGE: &str = include_str!("../../../docs/contracts.md");

#[test]
fn the_page_shows_every_rule_with_its_cases() {
    let mut faults = Vec::new();
    for case in cases() {
        let (kept, broken) = (case.kept.0, case.broken.0);
        let row = |line: &&str| line.starts_with(&format!("| `{}` |", case.rule));
        if !PAGE
            .lines()
            .any(|line| row(&line) && line.contains(kept) && line.contains(broken))
        {
            faults.push(format!("| `{}` | … | {kept} | {broken} |", case.rule));
        }
    }
    assert!(
        faults.is_empty(),
        "docs/contracts.md lacks\n{}",
        faults.join("\n")
    );
    let (_, rules) = PAGE.split_once("\n## The rules\n").expect("the section");
    let rows = rules.lines().filter(|line| line.starts_with("| `"));
    assert_eq!(
        rows.count(),
        Rule::ALL.len(),
        "a row for a rule that does not exist"
    );
}
