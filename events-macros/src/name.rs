//! Names that Kafka must take.

/// What is wrong with the name of a topic, if anything.
pub(crate) fn topic(name: &str) -> Option<String> {
    fault("topic", name, 249)
}

/// What is wrong with the name of a service, a group or a handler, if anything: topics are named after them, such as
/// `<group>.dead-letters`, so there must be room for an ending.
pub(crate) fn part(what: &str, name: &str) -> Option<String> {
    fault(what, name, 200)
}

/// What is wrong with an event's name on the wire, if anything.
pub(crate) fn wire(name: &str) -> Option<String> {
    if name.is_empty() {
        Some("an event's name cannot be empty: leave `name` out for the type's own".to_owned())
    } else if name.trim() != name || name.chars().any(char::is_control) {
        Some(format!(
            "the name {name:?} begins or ends with a space, or holds a control character: headers carry it, so take these out"
        ))
    } else {
        None
    }
}

fn fault(what: &str, name: &str, longest: usize) -> Option<String> {
    let legal = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    if name.is_empty() {
        Some(format!("the {what}'s name cannot be empty"))
    } else if let Some(found) = name.chars().find(|character| !legal(*character)) {
        Some(format!(
            "the {what}'s name `{name}` holds {found:?}: Kafka takes letters a–z and A–Z, digits, `.`, `_` and `-`"
        ))
    } else if name.len() > longest {
        Some(format!(
            "the {what}'s name has {} characters: {longest} are allowed",
            name.len()
        ))
    } else if name == "." || name == ".." {
        Some(format!(
            "the {what} cannot be called `{name}`: Kafka refuses it"
        ))
    } else {
        None
    }
}
