//! Marks around an error: what they say is found through the chain, what they hold is shown as if they were not there.

use std::error::Error as StdError;
use std::fmt;

use super::{Error, Terminal, Unavailable};

/// An error with a code.
#[derive(Debug)]
struct Coded {
    code: &'static str,
    inner: Error,
}

pub(super) fn coded(inner: Error, code: &'static str) -> Error {
    Coded { code, inner }.into()
}

macro_rules! transparent {
    ($mark:ty, $inner:tt) => {
        impl fmt::Display for $mark {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.$inner, f)
            }
        }

        impl StdError for $mark {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                // Its text is the inner error's, which would otherwise stand in the chain twice.
                self.$inner.source()
            }
        }
    };
}

transparent!(Terminal, 0);
transparent!(Unavailable, 0);
transparent!(Coded, inner);

macro_rules! constructors {
    ($mark:ident) => {
        impl $mark {
            /// Wraps the cause.
            pub fn new(cause: impl Into<Error>) -> Self {
                Self(cause.into())
            }

            /// Builds the error from a text alone.
            pub fn msg(text: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
                Self(Error::msg(text))
            }

            /// Whether `error`, or one of the contexts put around it, carries this mark.
            pub fn is_in(error: &Error) -> bool {
                find(error, &mut |cause| cause.is::<Self>().then_some(())).is_some()
            }
        }
    };
}

constructors!(Terminal);
constructors!(Unavailable);

/// Most causes of an error that are looked at: a user's `source` may never end.
const CAUSES: usize = 1_000;

/// The error and its causes, outermost first, as many as are looked at.
///
/// For engines.
pub fn causes(error: &Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    error.chain().take(CAUSES)
}

/// What `look` finds first, from the outermost error inwards, marks and what they hold included.
pub(super) fn find<T>(
    error: &Error,
    look: &mut dyn FnMut(&(dyn StdError + 'static)) -> Option<T>,
) -> Option<T> {
    // A mark that was given as a context is not itself in the chain.
    let contexts: [Option<&(dyn StdError + 'static)>; 3] = [
        error.downcast_ref::<Terminal>().map(|mark| mark as _),
        error.downcast_ref::<Unavailable>().map(|mark| mark as _),
        error.downcast_ref::<Coded>().map(|mark| mark as _),
    ];
    for cause in contexts.into_iter().flatten().chain(causes(error)) {
        if let Some(found) = look(cause) {
            return Some(found);
        }
        let terminal = cause.downcast_ref::<Terminal>().map(|mark| &mark.0);
        let unavailable = cause.downcast_ref::<Unavailable>().map(|mark| &mark.0);
        let coded = cause.downcast_ref::<Coded>().map(|mark| &mark.inner);
        if let Some(inner) = terminal.or(unavailable).or(coded)
            && let Some(found) = find(inner, look)
        {
            return Some(found);
        }
    }
    None
}

/// An error's code, or else its type, without any of its text: the code that [`Classify::code`](super::Classify::code)
/// gave it, or the name of the type or variant of its outermost cause that has one, or `error`.
///
/// The name is the first word of what `#[derive(Debug)]` writes, so a hand-written `Debug` may name something else.
pub fn error_code(error: &Error) -> String {
    let code = find(error, &mut |cause| {
        cause
            .downcast_ref::<Coded>()
            .map(|coded| coded.code.to_owned())
    });
    code.or_else(|| find(error, &mut type_name))
        .unwrap_or_else(|| "error".to_owned())
}

/// The type's or variant's name as a derived `Debug` writes it.
fn type_name(cause: &(dyn StdError + 'static)) -> Option<String> {
    if cause.is::<Terminal>() || cause.is::<Unavailable>() {
        return None;
    }
    let mut start = Start::default();
    // Cut short by `Start`, so an error is no fault here.
    let _ = fmt::write(&mut start, format_args!("{cause:?}"));
    let text = start.0;
    let end = text
        .find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let derived = rest.is_empty() || rest.starts_with('(') || rest.starts_with(" {");
    // `Error` is what contexts are called.
    let named = name.starts_with(|letter: char| letter.is_ascii_uppercase()) && name != "Error";
    (derived && named).then(|| name.to_owned())
}

/// Keeps the first words of a text.
#[derive(Default)]
struct Start(String);

/// Longer than any name.
const NAME: usize = 128;

impl fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        if self.0.len() > NAME {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Class, Classify, Error, Terminal, Unavailable, error_code};

    #[derive(Debug, thiserror::Error)]
    enum Refused {
        #[error("card {number} was refused")]
        Card { number: &'static str },
        #[error("closed")]
        Closed,
    }

    #[test]
    fn marks_are_found_through_contexts_and_each_other() {
        let error = Error::new(Refused::Closed)
            .unavailable()
            .context("while charging")
            .code("till.closed")
            .context("order 1");
        assert_eq!(Class::carried_by(&error), Some(Class::Unavailable));
        assert!(Unavailable::is_in(&error) && !Terminal::is_in(&error));
        assert_eq!(format!("{error:#}"), "order 1: while charging: closed");
        let error = error.terminal();
        assert_eq!(
            Class::carried_by(&error),
            Some(Class::Terminal),
            "the outermost counts"
        );
        let context = Error::msg("no").context(Terminal::msg("never"));
        assert_eq!(Class::carried_by(&context), Some(Class::Terminal));
        assert_eq!(Class::carried_by(&Error::msg("no")), None);
    }

    #[test]
    fn codes_hold_none_of_the_text() {
        let card = || Error::new(Refused::Card { number: "4711" });
        assert_eq!(error_code(&card()), "Card");
        assert_eq!(error_code(&card().context("4711").terminal()), "Card");
        assert_eq!(error_code(&card().code("card").context("4711")), "card");
        assert_eq!(error_code(&Error::new(Refused::Closed)), "Closed");
        let number = "x".parse::<u8>().unwrap_err();
        assert_eq!(error_code(&number.into()), "ParseIntError");
        for text in ["4711 refused", "Secret word", "Secret"] {
            assert_eq!(error_code(&Error::msg(text)), "error", "{text}");
            assert_eq!(error_code(&Terminal::msg(text).into()), "error", "{text}");
        }
    }
}
