//! What a record gives up that its topic does not take as large as it is.

use events_core::Outgoing;

use super::{Dialects, dead_letter_header as own};
use crate::header_bounds::copy_reduced;
use crate::parking::fact::parked_header;

/// A dead letter, or a record on its way into a parked log, without what it can do without; none if that is nothing.
///
/// The log of the service has the error's text, and other dialects say again what ours says. The value of a *record* is not
/// given up here: see [`reference`]. That of an emission is, since its record, whose letter stands beside it, makes it anew.
pub(crate) fn shrunk(letter: &Outgoing, dialects: Dialects) -> Option<Outgoing> {
    let emission = letter.header(own::KIND) == Some(b"emission");
    let code = letter.header(own::CODE).unwrap_or_default();
    let mut small = Outgoing::new(letter.topic.clone());
    small.partition = letter.partition;
    small.timestamp = letter.timestamp;
    if let Some(key) = letter.key() {
        small.set_key(key);
    }
    match letter.value() {
        // Empty, but no tombstone.
        Some(value) if emission && !value.is_empty() => {
            small.set_value(b"");
            small.add_header(own::OMITTED, value.len().to_string());
        }
        Some(value) => drop(small.set_value(value)),
        None => {}
    }
    for (name, value) in letter.headers() {
        if name == own::ERROR.as_bytes() {
            small.add_header(own::ERROR, code);
        } else if name != parked_header::ERROR.as_bytes() && !dialects.has(name) {
            small.add_raw_header(name, value);
        }
    }
    (small.size() < letter.size()).then_some(small)
}

/// Bytes of a key that a reference keeps.
const KEY: usize = 1024;

/// A dead letter that names its record's origin instead of carrying the record; none if the letter is one already.
///
/// It is what becomes of a letter that its topic does not take even when it is [`shrunk`]: the record stands at its origin
/// for as long as its own topic keeps it, while the lane goes on.
pub(crate) fn reference(letter: &Outgoing) -> Option<Outgoing> {
    let mut small = Outgoing::new(letter.topic.clone());
    small.partition = letter.partition;
    small.timestamp = letter.timestamp;
    if let Some(key) = letter.key().filter(|key| key.len() <= KEY) {
        small.set_key(key);
    }
    // Empty, but no tombstone.
    small.set_value(b"");
    let own: Vec<_> = letter
        .headers()
        .filter(|(name, _)| name.starts_with(super::PREFIX) && *name != own::ERROR.as_bytes())
        .collect();
    let known = |name: &str| own.iter().any(|(known, _)| *known == name.as_bytes());
    if known(own::REFERENCE) {
        return None;
    }
    let others: Vec<_> = letter
        .headers()
        .filter(|(name, _)| !name.starts_with(super::PREFIX))
        .collect();
    let left_out = copy_reduced(others.iter().copied(), &mut small);
    for (name, value) in &own {
        small.add_raw_header(name, *value);
    }
    small.add_header(own::ERROR, letter.header(own::CODE).unwrap_or_default());
    if !known(own::OMITTED) {
        let omitted = letter.value().map_or(0, <[u8]>::len);
        small.add_header(own::OMITTED, omitted.to_string());
    }
    if left_out > 0 && !known(own::OMITTED_HEADERS) {
        small.add_header(own::OMITTED_HEADERS, left_out.to_string());
    }
    small.add_header(own::REFERENCE, "origin");
    Some(small)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(kind: &str) -> Outgoing {
        let mut letter = Outgoing::new("shop.dead-letters");
        letter.set_key(b"o-1").set_value(b"a value");
        letter.timestamp = Some(1_000);
        letter.add_header("tenant", "acme");
        letter.add_header(own::KIND, kind);
        letter.add_header(own::ERROR, "a long text that nobody needs");
        letter.add_header(own::CODE, "NoAddress");
        letter.add_header("kafka_dlt-exception-message", "the same once more");
        letter
    }

    fn text<'a>(letter: &'a Outgoing, name: &str) -> Option<&'a str> {
        letter
            .header(name)
            .map(|value| std::str::from_utf8(value).unwrap())
    }

    #[test]
    fn a_record_s_letter_gives_up_words_alone_and_does_so_once() {
        let dialects = Dialects {
            spring: true,
            ..Dialects::default()
        };
        let small = shrunk(&letter("record"), dialects).unwrap();
        assert_eq!(
            (small.key(), small.value(), small.timestamp),
            (Some(&b"o-1"[..]), Some(&b"a value"[..]), Some(1_000))
        );
        assert_eq!(text(&small, own::ERROR), Some("NoAddress"));
        assert_eq!(text(&small, "tenant"), Some("acme"));
        assert_eq!(text(&small, "kafka_dlt-exception-message"), None);
        assert_eq!(shrunk(&small, dialects), None);
    }

    #[test]
    fn an_emission_s_letter_gives_up_its_value_too_and_says_so() {
        let small = shrunk(&letter("emission"), Dialects::default()).unwrap();
        assert_eq!(small.value(), Some(&b""[..]), "no tombstone");
        assert_eq!(text(&small, own::OMITTED), Some("7"));
        assert_eq!(
            text(&small, "kafka_dlt-exception-message"),
            Some("the same once more"),
            "the record's own, where that dialect is not ours"
        );
    }

    #[test]
    fn a_parked_record_gives_up_its_error_alone() {
        let mut fact = Outgoing::new("shop.parked.orders");
        fact.partition = Some(3);
        fact.set_key(b"o-1").set_value(b"a value");
        fact.add_header(parked_header::FACT, "parked");
        fact.add_header(parked_header::ERROR, "no address");
        let small = shrunk(&fact, Dialects::default()).unwrap();
        assert_eq!(
            (small.partition, small.value()),
            (Some(3), Some(&b"a value"[..]))
        );
        assert_eq!(small.headers().len(), 1);
        assert_eq!(shrunk(&small, Dialects::default()), None);
    }

    #[test]
    fn a_reference_names_the_origin_and_carries_no_record() {
        let mut large = letter("record");
        large.set_key(&[b'k'; 2_000]).set_value(&[b'x'; 100_000]);
        large.add_header("blob", vec![b'x'; 100_000]);
        large.add_header(own::TOPIC, "orders");
        large.add_header(own::OFFSET, "7");
        let small = reference(&large).unwrap();
        assert_eq!((small.key(), small.value()), (None, Some(&b""[..])));
        assert!(small.size() < 1_000, "{}", small.size());
        for (name, value) in [
            (own::TOPIC, "orders"),
            (own::OFFSET, "7"),
            (own::ERROR, "NoAddress"),
            (own::OMITTED, "100000"),
            (own::OMITTED_HEADERS, "1"),
            (own::REFERENCE, "origin"),
            ("tenant", "acme"),
        ] {
            assert_eq!(text(&small, name), Some(value), "{name}");
        }
        assert_eq!(small.timestamp, Some(1_000));
        assert_eq!(reference(&small), None);
    }
}
