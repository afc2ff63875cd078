//! Comparing an event with what was released of it.
//!
//! Only released versions bind. What the tokens of a type leave open, such as an alias, is compared by full schemas:
//! by `contracts check` and by the test that `events_core::contracts_test!()` generates.

mod compare;
mod file;
mod tokens;

use std::env;
use std::path::PathBuf;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{LitStr, Type};

use self::file::Lock;
use self::tokens::Tokens;
use super::model::Model;
use crate::errors::Errors;

/// The variable that switches the comparison off. The descriptor asks for it too, and so has the event compiled anew
/// when it changes.
pub(super) const SWITCH: &str = "EVENTS_CONTRACTS";

/// A type as contract files hold it. `own_form` is the path of the functions that write or read it, if it has some.
pub(super) fn type_text(ty: &Type, own_form: Option<&str>) -> String {
    Tokens::written(ty, own_form).to_string()
}

/// Compares the event with its lock, if there is one, and returns what stands in it: as `include_bytes!`, which has the
/// event compiled anew when it changes.
pub(super) fn check(model: &Model, errors: &mut Errors) -> TokenStream {
    let compared = env::var_os(SWITCH).is_none_or(|value| value != "off");
    let Some(path) = path(model) else {
        if let Some(name) = &model.renamed_from
            && compared
            && let Some(fault) = file::unknown(&name.value())
        {
            errors.at(name, fault);
        }
        return quote!(&[]);
    };
    if compared {
        match Lock::read(&path, &model.name.0) {
            Ok(lock) => compare::compare(model, &lock, errors),
            Err(fault) => match model.renamed_from.as_ref().or(model.lock.as_ref()) {
                Some(option) => errors.at(option, fault),
                None => errors.at_span(model.name.1, fault),
            },
        }
    }
    if !path.is_file() {
        return quote!(&[]);
    }
    let path = path.to_string_lossy();
    quote!(::core::include_bytes!(#path))
}

fn path(model: &Model) -> Option<PathBuf> {
    match &model.lock {
        Some(option) => Some(beside(option)),
        None => file::find(&model.name.0),
    }
}

/// As for `include_bytes!`: from the directory of the file that names it; where the compiler does not say which that
/// is, from the crate's.
fn beside(option: &LitStr) -> PathBuf {
    // Outside of the compiler no token comes from a file.
    let in_compiler = proc_macro::is_available();
    let source = in_compiler
        .then(|| option.span().unwrap().local_file())
        .flatten();
    let directory = match source.and_then(|file| std::path::absolute(file).ok()) {
        Some(file) => file.parent().map(PathBuf::from),
        None => env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from),
    };
    directory.unwrap_or_default().join(option.value())
}
