//! The manifest of a program that links a workspace's libraries: their features, and what the workspace patches.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cargo_metadata::{Metadata, Package};
use toml::{Table, Value};

use crate::arguments::Features;

/// The text of the manifest.
pub(crate) fn text(
    name: &str,
    metadata: &Metadata,
    chosen: &[Package],
    features: &Features,
) -> Result<String, String> {
    let wanted = wanted(chosen, features)?;
    let mut dependencies = Table::new();
    for package in chosen {
        let mut dependency = origin(package);
        if let Some(wanted) = wanted.get(package.name.as_str()) {
            dependency.insert("features".to_owned(), wanted.clone().into());
        }
        if features.no_default_features {
            dependency.insert("default-features".to_owned(), false.into());
        }
        dependencies.insert(package.name.to_string(), dependency.into());
    }
    let core = metadata.packages.iter();
    for package in core
        .filter(|package| package.name.as_str() == "events-core")
        .take(1)
    {
        let name = package.name.to_string();
        dependencies.entry(name).or_insert(origin(package).into());
    }
    let mut package = Table::new();
    package.insert("name".to_owned(), name.into());
    package.insert("version".to_owned(), "0.0.0".into());
    package.insert("edition".to_owned(), "2024".into());
    package.insert("publish".to_owned(), false.into());
    let mut manifest = Table::new();
    manifest.insert("package".to_owned(), package.into());
    manifest.insert("workspace".to_owned(), Table::new().into());
    manifest.insert("dependencies".to_owned(), dependencies.into());
    if let Some(patch) = patch(metadata.workspace_root.as_std_path())? {
        manifest.insert("patch".to_owned(), patch);
    }
    Ok(format!(
        "# Written by `cargo events contracts`.\n{manifest}"
    ))
}

/// The features of each package.
fn wanted(
    chosen: &[Package],
    features: &Features,
) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if features.all_features {
        for package in chosen {
            let all = package
                .features
                .keys()
                .filter(|feature| *feature != "default");
            wanted.insert(package.name.to_string(), all.cloned().collect());
        }
    }
    for given in features.features.iter().filter(|given| !given.is_empty()) {
        let (of, feature) = match given.split_once('/') {
            Some((of, feature)) => (Some(of), feature),
            None => (None, given.as_str()),
        };
        let mut known = false;
        for package in chosen {
            let named = of.is_none_or(|of| package.name.as_str() == of);
            if named && package.features.contains_key(feature) {
                known = true;
                let all = wanted.entry(package.name.to_string()).or_default();
                if !all.iter().any(|other| other == feature) {
                    all.push(feature.to_owned());
                }
            }
        }
        if !known {
            return Err(unknown(given, chosen));
        }
    }
    Ok(wanted)
}

fn unknown(given: &str, chosen: &[Package]) -> String {
    let features = chosen.iter().flat_map(|package| {
        let features = package.features.keys();
        features.map(|feature| format!("{}/{feature}", package.name))
    });
    let known: Vec<_> = features.collect();
    let known = match &*known {
        [] => "they have none".to_owned(),
        known => format!("there are {}", known.join(", ")),
    };
    format!("no library that is looked at has a feature `{given}`; {known}")
}

/// How a manifest names a package.
fn origin(package: &Package) -> Table {
    let mut origin = Table::new();
    let mut say = |word: &str, text: &str| {
        origin.insert(word.to_owned(), text.into());
    };
    let Some(source) = &package.source else {
        let manifest = package.manifest_path.as_std_path();
        let directory = manifest.parent().unwrap_or(manifest);
        say("path", &directory.display().to_string());
        return origin;
    };
    let Some(git) = source.repr.strip_prefix("git+") else {
        say("version", &format!("={}", package.version));
        return origin;
    };
    let (url, _) = git.split_once('#').unwrap_or((git, ""));
    match url.split_once('?') {
        // `branch=`, `tag=` or `rev=`, as the workspace says it.
        Some((url, of)) => {
            let (word, name) = of.split_once('=').unwrap_or(("rev", of));
            say("git", url);
            say(word, name);
        }
        None => say("git", url),
    }
    origin
}

/// What the workspace puts in the place of crates: without it other versions would be linked, or none be found. What
/// `.cargo/config.toml` patches counts anyway, since cargo is run in the workspace.
fn patch(root: &Path) -> Result<Option<Value>, String> {
    let file = root.join("Cargo.toml");
    let shown = file.display();
    let text =
        fs::read_to_string(&file).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let mut manifest: Table =
        toml::from_str(&text).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let Some(mut patch) = manifest.remove("patch") else {
        return Ok(None);
    };
    let sources = patch.as_table_mut().into_iter().flatten();
    let crates = sources
        .filter_map(|(_, source)| source.as_table_mut())
        .flatten();
    for (_, replacement) in crates {
        if let Some(path) = replacement.get_mut("path")
            && let Some(relative) = path.as_str()
        {
            // The program lies elsewhere.
            *path = root.join(relative).display().to_string().into();
        }
    }
    Ok(Some(patch))
}
