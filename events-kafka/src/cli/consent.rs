//! Consent to mean all.

use clap::Args;
use events_core::{Error, Result};

/// Consent to mean all.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(super) struct Any {
    /// All of them: instead of a filter.
    #[arg(long)]
    all: bool,
}

impl Any {
    /// # Errors
    ///
    /// Nothing is `narrowed` by a filter, and `--all` is not given: `words` says which filters there are.
    pub(super) fn agree(self, narrowed: bool, words: &str) -> Result<()> {
        if self.all || narrowed {
            return Ok(());
        }
        Err(Error::msg(format!("{words}; or --all")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_must_be_said() {
        assert!(Any { all: true }.agree(false, "say which").is_ok());
        assert!(Any { all: false }.agree(true, "say which").is_ok());
        let said = Any { all: false }.agree(false, "say which").unwrap_err();
        assert_eq!(said.to_string(), "say which; or --all");
    }
}
