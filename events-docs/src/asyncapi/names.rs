//! Names that may stand as keys of components and in references.

use std::collections::{BTreeMap, BTreeSet};

/// The document's word for each of our names, different for different ones.
#[derive(Default)]
pub(super) struct Names {
    known: BTreeMap<(&'static str, String), String>,
    taken: BTreeSet<(&'static str, String)>,
}

impl Names {
    /// The name among others of its `kind`.
    pub(super) fn of(&mut self, kind: &'static str, name: &str) -> String {
        if let Some(known) = self.known.get(&(kind, name.to_owned())) {
            return known.clone();
        }
        let plain = plain(name);
        let mut word = plain.clone();
        let mut number = 2;
        while !self.taken.insert((kind, word.clone())) {
            word = format!("{plain}-{number}");
            number += 1;
        }
        self.known.insert((kind, name.to_owned()), word.clone());
        word
    }
}

/// Letters, digits, `.`, `-` and `_`: what AsyncAPI allows.
pub(super) fn plain(name: &str) -> String {
    let allowed = |character: char| character.is_ascii_alphanumeric() || ".-_".contains(character);
    let word: String = name
        .chars()
        .map(|character| if allowed(character) { character } else { '_' })
        .collect();
    if word.is_empty() {
        "_".to_owned()
    } else {
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_names_stay_different() {
        let mut names = Names::default();
        assert_eq!(names.of("channel", "orders/eu"), "orders_eu");
        assert_eq!(names.of("channel", "orders eu"), "orders_eu-2");
        assert_eq!(names.of("channel", "orders/eu"), "orders_eu");
        assert_eq!(names.of("message", "orders eu"), "orders_eu");
        assert_eq!(names.of("message", ""), "_");
    }
}
