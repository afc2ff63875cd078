//! Types of fields that the core reads and writes itself.

use syn::{GenericArgument, Path, PathArguments, Type};

use super::model::Field;

/// As they are called: a macro knows no more of a type. The core says so where something else has such a name.
const NAMES: [&str; 15] = [
    "String", "bool", "char", "i8", "i16", "i32", "i64", "isize", "u8", "u16", "u32", "u64",
    "usize", "f32", "f64",
];

/// Whether there are fields, and each is a scalar or an `Option` of one.
pub(super) fn all(fields: &[Field]) -> bool {
    let mut types = fields.iter().map(|field| &field.ty);
    !fields.is_empty() && types.all(|ty| is_scalar(ty) || optional(ty).is_some_and(is_scalar))
}

fn is_scalar(ty: &Type) -> bool {
    path(ty)
        .and_then(Path::get_ident)
        .is_some_and(|name| NAMES.iter().any(|known| name == known))
}

fn optional(ty: &Type) -> Option<&Type> {
    let path = path(ty)?;
    let [segment] = path.segments.iter().collect::<Vec<_>>()[..] else {
        return None;
    };
    match &segment.arguments {
        PathArguments::AngleBracketed(of) if segment.ident == "Option" => match of.args.first()? {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        },
        _ => None,
    }
}

fn path(ty: &Type) -> Option<&Path> {
    match ty {
        Type::Path(ty) if ty.qself.is_none() => Some(&ty.path),
        _ => None,
    }
}
