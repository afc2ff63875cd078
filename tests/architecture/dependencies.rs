//! Holds the table of rooms against `cargo metadata`. Dev-dependencies are exempt: nobody downstream builds them.

use std::collections::{BTreeMap, VecDeque};
use std::process::Command;
use std::sync::LazyLock;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};

use crate::table::{NOT_IN_CONTRACTS, ROOMS, Room, USERS};

/// Resolved for this machine's platform alone, so that crates for other systems are neither downloaded nor judged.
static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
    let rustc = Command::new("rustc")
        .arg("-vV")
        .output()
        .expect("rustc runs, for it compiled this test");
    let version = String::from_utf8(rustc.stdout).expect("rustc speaks UTF-8");
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("rustc names its host");
    let options = ["--filter-platform".to_owned(), host.to_owned()];
    MetadataCommand::new()
        .other_options(options)
        .exec()
        .expect("`cargo metadata` works in this workspace")
});

#[test]
fn every_package_is_a_known_room_or_lies_where_users_do() {
    let mut strangers = Vec::new();
    for package in METADATA.workspace_packages() {
        if !is_user(package) && room(&package.name).is_none() {
            strangers.push(package.name.as_str());
        }
    }
    assert!(
        strangers.is_empty(),
        "{strangers:?} are not in the table of rooms: a new room is an architectural change, so add it to \
         tests/architecture/table.rs and to ARCHITECTURE.md"
    );
}

/// In this workspace a dev-dependency turns the feature on as well, so a test of values would pass without it; users' builds
/// have no dev-dependencies of ours.
#[test]
fn what_reads_events_asks_for_exact_doubles_itself() {
    let core = METADATA
        .workspace_packages()
        .into_iter()
        .find(|package| package.name.as_str() == "events-core")
        .expect("events-core is a room");
    let json = core.dependencies.iter().find(|dependency| {
        dependency.name == "serde_json" && dependency.kind == DependencyKind::Normal
    });
    let features = &json.expect("events-core reads JSON").features;
    assert!(
        features.iter().any(|feature| feature == "float_roundtrip"),
        "serde_json has {features:?} without `float_roundtrip`: one double in ten would come back another"
    );
}

#[test]
fn rooms_depend_only_on_the_rooms_that_the_table_shows() {
    let mut faults = Vec::new();
    for (room, package) in present() {
        for name in lines(package).filter(|name| is_ours(name) && !room.rooms.contains(name)) {
            faults.push(format!(
                "{} -> {name} (the table shows {:?})",
                room.name, room.rooms
            ));
        }
    }
    fail_with(
        &faults,
        "move the code to a room that may name both sides, or change the table with its reason",
    );
}

#[test]
fn every_third_party_line_has_its_reason() {
    let mut faults = Vec::new();
    for (room, package) in present() {
        for name in lines(package).filter(|name| !is_ours(name)) {
            if !room.crates.iter().any(|(known, _)| *known == name) {
                faults.push(format!("{} -> {name}", room.name));
            }
        }
    }
    fail_with(
        &faults,
        "a new [dependencies] line is an architectural change: add it to the allow-list in \
         tests/architecture/table.rs with its reason, and to ARCHITECTURE.md",
    );
}

#[test]
fn every_reason_is_a_sentence_of_its_own() {
    for room in ROOMS {
        for (name, reason) in room.crates {
            assert!(
                reason.split_whitespace().count() >= 3,
                "{}: why {name}? \"{reason}\"",
                room.name
            );
        }
    }
}

#[test]
fn rooms_do_not_reach_what_they_may_not_touch() {
    let mut faults = Vec::new();
    for (room, package) in present() {
        for name in room.never.iter().copied().flatten() {
            faults.extend(path(&package.id, name));
        }
    }
    fail_with(
        &faults,
        "drop the dependency, or switch off the feature that brings it in",
    );
}

#[test]
fn contract_crates_depend_on_the_core_alone() {
    let mut faults = Vec::new();
    for package in METADATA.workspace_packages() {
        if !(package.name.ends_with("-contract") || package.name.ends_with("-contracts")) {
            continue;
        }
        for name in lines(package).filter(|name| is_ours(name) && *name != "events-core") {
            faults.push(format!("{} -> {name}", package.name));
        }
        for name in NOT_IN_CONTRACTS.iter().copied().flatten() {
            faults.extend(path(&package.id, name));
        }
    }
    fail_with(
        &faults,
        "a contract crate is shared by services: it compiles in seconds and needs no C compiler",
    );
}

fn fail_with(faults: &[String], remedy: &str) {
    assert!(faults.is_empty(), "\n  {}\n{remedy}\n", faults.join("\n  "));
}

fn room(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

fn present() -> impl Iterator<Item = (&'static Room, &'static Package)> {
    METADATA
        .workspace_packages()
        .into_iter()
        .filter_map(|package| Some((room(&package.name)?, package)))
}

fn is_user(package: &Package) -> bool {
    let inside = package.manifest_path.strip_prefix(&METADATA.workspace_root);
    let top = inside.ok().and_then(|path| path.components().next());
    top.is_some_and(|top| USERS.contains(&top.as_str()))
}

fn is_ours(name: &str) -> bool {
    METADATA
        .workspace_packages()
        .iter()
        .any(|package| *package.name == name)
}

/// The names in `[dependencies]` and `[build-dependencies]`, optional ones and those of other platforms included.
fn lines(package: &Package) -> impl Iterator<Item = &str> {
    let kept = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development);
    kept.map(|dependency| dependency.name.as_str())
}

/// The shortest way from a package to the crate called `name` over normal dependencies, if there is one.
fn path(from: &PackageId, name: &str) -> Option<String> {
    let resolve = METADATA
        .resolve
        .as_ref()
        .expect("dependencies were resolved");
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut came_from: BTreeMap<&PackageId, &PackageId> = BTreeMap::new();
    let mut queue = VecDeque::from([nodes[from]]);
    while let Some(node) = queue.pop_front() {
        if node.id != *from && *METADATA[&node.id].name == name {
            let mut names = vec![name];
            let mut at = &node.id;
            while let Some(before) = came_from.get(at) {
                at = before;
                names.push(METADATA[at].name.as_str());
            }
            names.reverse();
            return Some(names.join(" -> "));
        }
        for dependency in &node.deps {
            let normal = dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind == DependencyKind::Normal);
            if normal && dependency.pkg != *from && !came_from.contains_key(&dependency.pkg) {
                came_from.insert(&dependency.pkg, &node.id);
                queue.push_back(nodes[&dependency.pkg]);
            }
        }
    }
    None
}

#[test]
fn the_way_to_a_crate_is_found_through_others() {
    let package = METADATA
        .workspace_packages()
        .into_iter()
        .find(|package| package.name == "events-core")
        .unwrap();
    let way = path(&package.id, "syn").expect("the macros parse with syn");
    assert!(
        way.starts_with("events-core -> ") && way.ends_with(" -> syn"),
        "{way}"
    );
    assert_eq!(path(&package.id, "no-such-crate"), None);
}
