//! Types as they are written: all that a macro knows of them.

use quote::ToTokens;
use syn::{GenericArgument, Path, PathArguments, Type};

/// Types whose name says what stands on the wire. What else a name may mean only the compiler knows.
const KNOWN: [&str; 28] = [
    "String", "bool", "char", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize", "f32", "f64", "Option", "Vec", "VecDeque", "HashMap", "BTreeMap",
    "HashSet", "BTreeSet", "[]", "()", "Duration", "PathBuf",
];

/// Of these only what they hold stands on the wire.
const TRANSPARENT: [&str; 3] = ["Box", "Rc", "Arc"];

/// A type: its name without a path if it is of the standard library, and its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tokens {
    name: String,
    arguments: Vec<Tokens>,
}

impl Tokens {
    pub(super) fn of(ty: &Type) -> Self {
        match ty {
            Type::Group(group) => Self::of(&group.elem),
            Type::Paren(paren) => Self::of(&paren.elem),
            Type::Path(path) if path.qself.is_none() => Self::of_path(&path.path),
            Type::Slice(slice) => Self {
                name: "[]".to_owned(),
                arguments: vec![Self::of(&slice.elem)],
            },
            Type::Tuple(tuple) => Self {
                name: "()".to_owned(),
                arguments: tuple.elems.iter().map(Self::of).collect(),
            },
            other => Self::opaque(&other),
        }
    }

    /// As a field is written. Where functions do it, the type does not say what stands on the wire.
    pub(super) fn written(ty: &Type, own_form: Option<&str>) -> Self {
        let plain = Self::of(ty);
        match own_form {
            Some(path) => Self {
                name: format!("{plain} with {path}"),
                arguments: Vec::new(),
            },
            None => plain,
        }
    }

    pub(super) fn parse(text: &str) -> Self {
        match syn::parse_str::<Type>(text) {
            Ok(ty) => Self::of(&ty),
            Err(_) => Self {
                name: text.to_owned(),
                arguments: Vec::new(),
            },
        }
    }

    fn opaque(tokens: &impl ToTokens) -> Self {
        Self {
            name: tokens.to_token_stream().to_string().replace(' ', ""),
            arguments: Vec::new(),
        }
    }

    fn of_path(path: &Path) -> Self {
        let Some(last) = path.segments.last() else {
            return Self::opaque(path);
        };
        let mut arguments = match &last.arguments {
            PathArguments::AngleBracketed(of) => {
                let types = of.args.iter().filter_map(|argument| match argument {
                    GenericArgument::Type(ty) => Some(Self::of(ty)),
                    _ => None,
                });
                types.collect()
            }
            _ => Vec::new(),
        };
        let first = path.segments.first().map(|first| first.ident.to_string());
        let of_std = path.segments.len() == 1
            || first.is_some_and(|first| ["std", "core", "alloc"].contains(&first.as_str()));
        let name = last.ident.to_string();
        if of_std && TRANSPARENT.contains(&name.as_str()) && arguments.len() == 1 {
            return arguments.remove(0);
        }
        if of_std && KNOWN.contains(&name.as_str()) {
            return Self { name, arguments };
        }
        Self::opaque(path)
    }

    /// Whether two types surely differ on the wire.
    pub(super) fn differs(&self, other: &Self) -> bool {
        if !self.is_known() || !other.is_known() {
            return false;
        }
        if self.on_the_wire() != other.on_the_wire()
            || self.arguments.len() != other.arguments.len()
        {
            return true;
        }
        let mut pairs = self.arguments.iter().zip(&other.arguments);
        pairs.any(|(left, right)| left.differs(right))
    }

    /// Whether it is surely no object on the wire.
    pub(super) fn is_no_object(&self) -> bool {
        match (self.name.as_str(), self.arguments.as_slice()) {
            ("Option", [inner]) => inner.is_no_object(),
            ("HashMap" | "BTreeMap" | "Duration", _) => false,
            _ => self.is_known(),
        }
    }

    fn is_known(&self) -> bool {
        KNOWN.contains(&self.name.as_str())
    }

    /// Types that are written alike have one name here.
    fn on_the_wire(&self) -> &str {
        match self.name.as_str() {
            "VecDeque" | "[]" => "Vec",
            "HashMap" => "BTreeMap",
            "HashSet" => "BTreeSet",
            "isize" => "i64",
            "usize" => "u64",
            name => name,
        }
    }
}

impl std::fmt::Display for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (open, close) = match self.name.as_str() {
            "()" => ("(", ")"),
            "[]" => ("[", "]"),
            name => {
                f.write_str(name)?;
                if self.arguments.is_empty() {
                    return Ok(());
                }
                ("<", ">")
            }
        };
        f.write_str(open)?;
        for (index, argument) in self.arguments.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{argument}")?;
        }
        f.write_str(close)
    }
}

#[cfg(test)]
mod tests {
    use super::Tokens;

    #[test]
    fn a_path_of_the_standard_library_says_nothing() {
        for (one, other) in [
            (
                "Option<String>",
                "std::option::Option<::std::string::String>",
            ),
            ("Vec<u8>", "VecDeque<u8>"),
            ("HashMap<String,u8>", "BTreeMap<String,u8>"),
            ("Box<u8>", "u8"),
            ("usize", "u64"),
        ] {
            assert!(
                !Tokens::parse(one).differs(&Tokens::parse(other)),
                "{one}, {other}"
            );
        }
        let ty = Tokens::parse("core::option::Option < (u8, std::vec::Vec<my::Money>) >");
        assert_eq!(ty.to_string(), "Option<(u8,Vec<my::Money>)>");
    }

    #[test]
    fn what_is_an_object_is_told() {
        for (ty, is_none) in [
            ("u64", true),
            ("Option<Vec<Money>>", true),
            ("Money", false),
            ("Option<Money>", false),
            ("HashMap<String,u8>", false),
            ("Duration", false),
            ("u64 with own::cents", false),
        ] {
            assert_eq!(Tokens::parse(ty).is_no_object(), is_none, "{ty}");
        }
    }

    #[test]
    fn only_known_types_surely_differ() {
        for (one, other, differ) in [
            ("String", "u64", true),
            ("u32", "u64", true),
            ("Option<u32>", "u32", true),
            ("Vec<Option<u32>>", "Vec<Option<i32>>", true),
            ("Vec<Money>", "Option<Money>", true),
            ("(u8,u8)", "(u8,u8,u8)", true),
            // An alias may be anything.
            ("String", "OrderId", false),
            ("Money", "Option<Money>", false),
            ("Vec<Money>", "Vec<Cents>", false),
            ("String", "my::String", false),
            // Functions of its own write it.
            ("u64 with own::cents", "String", false),
            ("Vec<u8> with base64", "String", false),
        ] {
            assert_eq!(
                Tokens::parse(one).differs(&Tokens::parse(other)),
                differ,
                "{one}, {other}"
            );
        }
    }
}
