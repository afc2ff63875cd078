//! What an event must not have lost, nor changed, since it was released.

use super::file::{Lock, Locked, Released};
use super::tokens::Tokens;
use crate::errors::Errors;
use crate::event::model::{Body, Field, Model, Newtype};
use crate::options::plain;

const ELSE: &str = "or declare a new event type for a breaking change";

pub(super) fn compare(model: &Model, lock: &Lock, errors: &mut Errors) {
    let (version, at) = model.version;
    let Some(last) = lock.released.last() else {
        return;
    };
    if version < last.version {
        errors.at_span(
            at,
            format!(
                "version {} of `{}` was released: this build cannot write version {version}; say `version = {}`, or a \
                 higher one with a compatible change",
                last.version, model.name.0, last.version
            ),
        );
        return;
    }
    let none = Vec::new();
    let fields = match &model.body {
        Body::Named(fields) => fields,
        Body::Unit => &none,
        Body::Newtype(newtype) => return compare_whole(model, newtype, lock, errors),
        Body::Unknown | Body::Wrong(..) => return,
    };
    let mut newtypes = lock.released.iter().rev().filter_map(|released| {
        let whole = released.whole.as_ref().filter(|whole| whole.is_no_object());
        whole.map(|whole| (released.version, whole))
    });
    if let Some((version, whole)) = newtypes.next() {
        let name = &model.item.ident;
        errors.at(
            name,
            format!(
                "`{name}` was released as `{whole}` in version {version}, and fields would break its readers or writers: \
                 write `struct {name}({whole});` again, {ELSE}"
            ),
        );
        return;
    }
    // A flattened field brings names that only the schema knows.
    let flattened = fields.iter().any(|field| field.wire.flatten);
    let comparison = Comparison {
        model,
        lock,
        fields,
        errors,
        flattened,
    };
    comparison.run();
}

/// Compares what a newtype holds: it is the whole payload.
fn compare_whole(model: &Model, newtype: &Newtype, lock: &Lock, errors: &mut Errors) {
    let now = Tokens::written(&newtype.ty, newtype.own_form.as_deref());
    let name = &model.item.ident;
    for released in lock.released.iter().rev() {
        let version = released.version;
        let fault = match &released.whole {
            Some(was) if was.differs(&now) => format!(
                "`{name}` was released as `{was}` in version {version}, and `{now}` would break its readers or writers: give \
                 it that type back, {ELSE}"
            ),
            None if released.is_object && now.is_no_object() => format!(
                "`{name}` was released with fields in version {version}, and `{now}` would break its readers or writers: \
                 bring them back, {ELSE}"
            ),
            _ => continue,
        };
        errors.at(&newtype.ty, fault);
        return;
    }
}

struct Comparison<'a> {
    model: &'a Model,
    lock: &'a Lock,
    fields: &'a [Field],
    errors: &'a mut Errors,
    flattened: bool,
}

impl<'a> Comparison<'a> {
    fn run(mut self) {
        self.renames();
        let lock = self.lock;
        // The latest version first; a field is underlined once.
        let mut told: Vec<String> = Vec::new();
        // What a newtype held the schema tells.
        let with_fields = lock.released.iter().filter(|one| one.whole.is_none());
        for released in with_fields.rev() {
            for known in &released.fields {
                if !told.contains(&known.name) && self.known(known, released) {
                    told.push(known.name.clone());
                }
            }
            for field in self.fields {
                let Some(name) = field.wire.names.first() else {
                    continue;
                };
                if !told.contains(name) && self.added(field, name, released) {
                    told.push(name.clone());
                }
            }
        }
    }

    /// What says that it was renamed has a name that was released.
    fn renames(&mut self) {
        if self.lock.released.iter().any(|one| one.whole.is_some()) {
            return;
        }
        for field in self.fields {
            let mut released = self
                .lock
                .released
                .iter()
                .flat_map(|released| &released.fields);
            if let Some((name, true)) = &field.renamed
                && !released.any(|known| known.name == name.value())
            {
                self.errors.at(
                    name,
                    format!(
                        "no released version has a field `{}`: `renamed_from` is the name that it has on the wire",
                        name.value()
                    ),
                );
            }
        }
    }

    /// A field that was released; whether something is wrong with it.
    fn known(&mut self, known: &Locked, released: &Released) -> bool {
        let name = &known.name;
        let version = released.version;
        let found = self
            .fields
            .iter()
            .find(|field| field.wire.names.first() == Some(name));
        let Some(field) = found else {
            return self.gone(known, released);
        };
        let ty = field.tokens();
        let fault = if known.ty.differs(&ty) {
            // An `Option` that became a plain type, or the other way, is about being there.
            format!(
                "`{name}` was released as `{}` in version {version}, and `{ty}` would break its readers or writers: give \
                 it that type back and add a new optional field, {ELSE}",
                known.ty
            )
        } else if !known.required && !field.optional && !is_upcast(field, released) {
            let lost = if known.default {
                "had a default"
            } else {
                "was optional"
            };
            let remedy = if known.default {
                "give it a default again, `#[event(default)]`"
            } else {
                "make it an `Option` again"
            };
            format!(
                "`{name}` {lost} in version {version}, and records may lack it: {remedy}, {ELSE}"
            )
        } else if known.required && field.optional {
            format!(
                "`{name}` was always there in version {version}, and its readers need it: make it required again, {ELSE}"
            )
        } else {
            return false;
        };
        self.errors.at(&field.ty, fault);
        true
    }

    /// A field that is not there any more; whether that is wrong.
    fn gone(&mut self, known: &Locked, released: &Released) -> bool {
        let name = &known.name;
        let version = released.version;
        // It is a new alias's old name, or stands behind a `flatten`: the schema tells.
        if self.flattened {
            return false;
        }
        if let Some(field) = self.renamed(known, released) {
            let rust = plain(&field.ident);
            self.errors.at(
                &field.ident,
                format!(
                    "`{name}` of version {version} seems to be called `{rust}` now, and the wire must keep its name: write \
                     `#[event(renamed_from = \"{name}\")]` here, {ELSE}"
                ),
            );
            return true;
        }
        let bumped = self.model.version.0 > version;
        if !known.required && bumped {
            return false;
        }
        let fault = if known.required {
            format!(
                "the field `{name}` was released in version {version}, and its readers need it: bring it back, {ELSE}"
            )
        } else {
            self.bump(&format!(
                "the optional field `{name}` was released in version {version} and is gone"
            ))
        };
        self.errors.at(&self.model.item.ident, fault);
        true
    }

    /// The field that a lost one most likely became: unknown to all releases, of a type that may be the same, and the
    /// only such one, or at the same place.
    fn renamed(&self, known: &Locked, released: &Released) -> Option<&'a Field> {
        let is_new = |field: &&Field| {
            field.wire.names.first().is_some_and(|name| {
                let mut all = self
                    .lock
                    .released
                    .iter()
                    .flat_map(|released| &released.fields);
                !all.any(|other| other.name == *name)
            })
        };
        let alike =
            |field: &&Field| !known.ty.differs(&field.tokens()) && field.optional != known.required;
        let fields: &'a [Field] = self.fields;
        let mut candidates = fields.iter().filter(is_new).filter(alike);
        let one = candidates.next()?;
        // Of several, none is likely.
        let lost = released.fields.iter().filter(|locked| {
            !self
                .fields
                .iter()
                .any(|field| field.wire.names.first() == Some(&locked.name))
                && !locked.ty.differs(&known.ty)
        });
        (candidates.next().is_none() && lost.count() == 1).then_some(one)
    }

    /// A field that a release lacks; whether that is wrong.
    fn added(&mut self, field: &Field, name: &str, released: &Released) -> bool {
        let version = released.version;
        if self.flattened || released.fields.iter().any(|known| known.name == name) {
            return false;
        }
        // What a lost field became is told at the lost one.
        let lost = released.fields.iter().any(|known| {
            let gone = !self
                .fields
                .iter()
                .any(|field| field.wire.names.first() == Some(&known.name));
            gone && self
                .renamed(known, released)
                .is_some_and(|other| other.ident == field.ident)
        });
        if lost {
            return false;
        }
        let fault = if !field.optional && !is_upcast(field, released) {
            let since = self.model.version.0.max(version + 1);
            format!(
                "records of version {version} lack `{name}`: make it an `Option`, or give it a default, \
                 `#[event(since = {since}, default)]`, or an upcaster, `#[event(since = {since}, upcast)]`, {ELSE}"
            )
        } else if self.model.version.0 == version {
            self.bump(&format!(
                "`{name}` is new since version {version} was released"
            ))
        } else {
            return false;
        };
        self.errors.at(&field.ident, fault);
        true
    }

    fn bump(&self, what: &str) -> String {
        let next = self.model.version.0 + 1;
        format!("{what}: a change of a released version needs a new one, `version = {next}`")
    }
}

impl Field {
    fn tokens(&self) -> Tokens {
        Tokens::written(&self.ty, self.wire.own_form.as_deref())
    }
}

/// Whether records of that release get the field from an upcaster. That there is one is checked at the start.
fn is_upcast(field: &Field, released: &Released) -> bool {
    field
        .upcast_since()
        .is_some_and(|since| released.version < since)
}
