//! How wide text is, without a font: what the widest of the usual fonts needs, so that it fits in all of them.

const ELLIPSIS: char = '…';

/// The width of `text` in pixels at most, at a font size in pixels.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(em).sum::<f64>() * size
}

/// `text`, or its beginning and its end, so that it is no wider than `most` pixels.
pub(crate) fn fit(text: &str, size: f64, most: f64) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    // What tells names apart stands at their ends as often as at their beginnings.
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    let mut left = most - em(ELLIPSIS) * size;
    let mut rest: std::collections::VecDeque<char> = text.chars().collect();
    loop {
        let from_front = head.len() <= tail.len();
        let next = if from_front {
            rest.pop_front()
        } else {
            rest.pop_back()
        };
        let Some(next) = next else { break };
        left -= em(next) * size;
        if left < 0.0 {
            break;
        }
        if from_front {
            head.push(next);
        } else {
            tail.push(next);
        }
    }
    head.into_iter()
        .chain([ELLIPSIS])
        .chain(tail.into_iter().rev())
        .collect()
}

/// Shares of the font size, of DejaVu Sans and rounded up: few fonts are wider.
fn em(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | 'I' | '\'' | '|' | '.' | ',' | ':' | ';' | ' ' | '·' => 0.34,
        'f' | 't' | 'r' | 'J' | '(' | ')' | '[' | ']' | '/' | '\\' | '-' | '!' | '"' => 0.46,
        'm' | 'M' | 'W' | '@' | '%' | '…' | '→' => 1.0,
        'w' | '#' | '+' | '=' | '<' | '>' | '~' => 0.84,
        'C' | 'D' | 'G' | 'H' | 'N' | 'O' | 'Q' | 'U' | '&' => 0.79,
        'A'..='Z' => 0.7,
        'a'..='z' | '0'..='9' => 0.64,
        '\0'..='\u{7f}' => 0.64,
        // Latin, Greek and Cyrillic with their marks.
        '\u{80}'..='\u{10ff}' => 0.95,
        // Scripts whose characters fill a square, and pictures.
        _ => 1.4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_keeps_both_ends() {
        assert_eq!(fit("OrderPlaced", 13.0, 200.0), "OrderPlaced");
        let name = "PaymentCapturedForASubscriptionThatWasRenewed";
        let cut = fit(name, 13.0, 200.0);
        assert!(width(&cut, 13.0) <= 200.0, "{cut}");
        assert!(
            cut.starts_with("PaymentC") && cut.contains('…') && cut.ends_with("Renewed"),
            "{cut}"
        );
        assert_eq!(fit("W", 13.0, 3.0), "…");
    }
}
