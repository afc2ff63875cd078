//! Why a payload cannot be written.

use std::fmt::{self, Display};

use serde::ser;

/// Why a payload has no form in JSON, and where in it.
#[derive(Debug)]
pub(super) struct WriteError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    at: String,
    why: String,
}

#[cold]
pub(super) fn not_finite(value: impl Display) -> WriteError {
    ser::Error::custom(format!(
        "{value} has no form in JSON: leave the value out (`None`), or give the event another codec"
    ))
}

impl WriteError {
    #[cold]
    pub(super) fn below_field(self, name: &str) -> Self {
        self.below(name)
    }

    #[cold]
    pub(super) fn below_index(self, index: usize) -> Self {
        self.below(&format!("[{index}]"))
    }

    fn below(mut self, place: &str) -> Self {
        let between = match self.0.at.chars().next() {
            Some('[') | None => "",
            Some(_) => ".",
        };
        self.0.at = format!("{place}{between}{}", self.0.at);
        self
    }

    /// Below the last key of `written`, which ends behind its colon.
    #[cold]
    pub(super) fn below_key(self, written: &[u8]) -> Self {
        let text = String::from_utf8_lossy(written);
        let text = text.trim_end_matches(':').trim_end_matches('"');
        let name = text.rsplit('"').next().unwrap_or_default().to_owned();
        self.below_field(&name)
    }
}

impl ser::Error for WriteError {
    fn custom<T: Display>(why: T) -> Self {
        Self(Box::new(Inner {
            at: String::new(),
            why: why.to_string(),
        }))
    }
}

impl From<serde_json::Error> for WriteError {
    fn from(error: serde_json::Error) -> Self {
        ser::Error::custom(error)
    }
}

impl Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { at, why } = &*self.0;
        if at.is_empty() {
            f.write_str(why)
        } else {
            write!(f, "`{at}`: {why}")
        }
    }
}

impl std::error::Error for WriteError {}
