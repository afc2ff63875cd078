//! Which keys are meant.

use super::arguments::Which;
use super::book::Line;

impl Which {
    /// Whether it leaves nothing out.
    pub(super) fn is_empty(&self) -> bool {
        let words = [
            &self.topic,
            &self.handler,
            &self.error,
            &self.event,
            &self.key,
        ];
        words.iter().all(|word| word.is_none()) && self.id.is_empty()
    }

    pub(super) fn fits(&self, line: &Line) -> bool {
        let head = line.head();
        let error = |wanted: &String| {
            head.code.as_deref() == Some(wanted)
                || head.error.to_lowercase().contains(&wanted.to_lowercase())
        };
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        is(&self.topic, Some(&line.topic))
            && is(&self.handler, Some(&head.handler))
            && is(&self.event, head.event.as_deref())
            && self.error.as_ref().is_none_or(error)
            && self
                .key
                .as_ref()
                .is_none_or(|key| head.key.as_deref() == Some(key.as_bytes()))
            && (self.id.is_empty() || self.id.iter().any(|id| line.find(id).is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::book::Book;
    use super::super::samples::parked;
    use super::*;

    #[test]
    fn every_word_must_fit() {
        let mut book = Book::new();
        book.add(&parked(1, "a", "k", 10)).unwrap();
        book.add(&parked(2, "a", "k", 11)).unwrap();
        let line = book.finish().remove(0);
        let text = |text: &str| Some(text.to_owned());
        let all = Which::default();
        assert!(all.is_empty() && all.fits(&line));
        let fitting = Which {
            topic: text("shipping.parked.orders"),
            handler: text("shipping/ship"),
            error: text("No Address"),
            event: text("OrderPlaced"),
            key: text("k"),
            id: vec!["shipping.parked.orders/3/2".parse().unwrap()],
        };
        assert!(!fitting.is_empty() && fitting.fits(&line));
        for other in [
            Which {
                topic: text("shipping.parked.payments"),
                ..fitting.clone()
            },
            Which {
                handler: text("ship"),
                ..fitting.clone()
            },
            Which {
                error: text("no stock"),
                ..fitting.clone()
            },
            Which {
                event: text("OrderPaid"),
                ..fitting.clone()
            },
            Which {
                key: text("l"),
                ..fitting.clone()
            },
            Which {
                id: vec!["shipping.parked.orders/3/9".parse().unwrap()],
                ..fitting.clone()
            },
        ] {
            assert!(!other.fits(&line), "{other:?}");
        }
    }
}
