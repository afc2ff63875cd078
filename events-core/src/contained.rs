//! Values of users that are dropped without letting a panic out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Result;
use crate::slot::Panicked;

/// Drops a value whose `Drop` is code of users.
///
/// # Errors
///
/// The panic of its `Drop`.
pub fn discard<T>(value: T) -> Result<()> {
    catch_unwind(AssertUnwindSafe(|| drop(value))).map_err(Panicked::error)
}

/// Holds a value whose `Drop` is code of users. Dropped with the value inside, it contains the panic of that `Drop`: what
/// stands around it is dropped to its end, and no second panic meets the first, which would abort the process.
#[derive(Debug)]
pub struct Contained<T>(Option<T>);

impl<T> Contained<T> {
    /// Takes hold of a value.
    pub fn new(value: T) -> Self {
        Self(Some(value))
    }

    /// The value; none after [`discard`](Self::discard).
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_mut()
    }

    /// The value, not held any more.
    pub fn into_inner(mut self) -> Option<T> {
        self.0.take()
    }

    /// Drops the value now.
    ///
    /// # Errors
    ///
    /// The panic of its `Drop`.
    pub fn discard(&mut self) -> Result<()> {
        discard(self.0.take())
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        // The panic hook has reported it, and no record is left that it could fail.
        let _ = self.discard();
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct Grenade(&'static str);

    impl Drop for Grenade {
        fn drop(&mut self) {
            panic!("{}", self.0);
        }
    }

    #[test]
    fn a_panic_in_a_drop_is_an_error_or_nothing() {
        let error = discard(Grenade("discarded")).unwrap_err();
        assert!(error.to_string().contains("discarded"), "{error}");
        let mut contained = Contained::new(Grenade("contained"));
        assert!(contained.discard().is_err());
        assert!(contained.discard().is_ok(), "nothing is left");
        // Each is dropped while the other unwinds, if nothing contains them.
        drop((
            Contained::new(Grenade("one")),
            Contained::new(Grenade("other")),
        ));
    }

    #[test]
    fn a_panic_whose_payload_panics_in_its_drop_is_an_error_too() {
        let panic = catch_unwind(|| panic_any(Grenade("payload"))).unwrap_err();
        let error = Panicked::error(panic);
        assert!(error.to_string().contains("no text"), "{error}");
    }
}
