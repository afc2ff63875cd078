//! The rules of compatibility. `docs/contracts.md` holds them as a table.

use std::fmt;

/// Why a reader cannot read what a writer may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// A value may have a type that the reader does not take.
    Type,
    /// A value may be one that the reader's enumeration lacks.
    EnumValue,
    /// A value may be of a variant that the reader lacks.
    Variant,
    /// The writer may leave out what the reader needs.
    Required,
    /// The reader refuses fields that it does not know.
    UnknownField,
    /// A number may lie outside of what the reader takes.
    Range,
    /// A number need not be a multiple of what the reader asks for.
    MultipleOf,
    /// A text may be shorter or longer than the reader takes.
    Length,
    /// A text need not match the reader's pattern.
    Pattern,
    /// A value need not have the reader's format.
    Format,
    /// A list may be shorter or longer than the reader takes.
    ItemCount,
    /// Items need not differ, as the reader asks.
    UniqueItems,
    /// An object may have fewer or more fields than the reader takes.
    FieldCount,
    /// Names of a map need not be as the reader asks.
    FieldNames,
    /// A field may come without those that the reader wants beside it.
    DependentField,
    /// The schemas say it in a way that is compared only for being the same.
    Undecided,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 16] = [
        Self::Type,
        Self::EnumValue,
        Self::Variant,
        Self::Required,
        Self::UnknownField,
        Self::Range,
        Self::MultipleOf,
        Self::Length,
        Self::Pattern,
        Self::Format,
        Self::ItemCount,
        Self::UniqueItems,
        Self::FieldCount,
        Self::FieldNames,
        Self::DependentField,
        Self::Undecided,
    ];

    /// A short, stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Type => "type",
            Self::EnumValue => "enum-value",
            Self::Variant => "variant",
            Self::Required => "required",
            Self::UnknownField => "unknown-field",
            Self::Range => "range",
            Self::MultipleOf => "multiple-of",
            Self::Length => "length",
            Self::Pattern => "pattern",
            Self::Format => "format",
            Self::ItemCount => "item-count",
            Self::UniqueItems => "unique-items",
            Self::FieldCount => "field-count",
            Self::FieldNames => "field-names",
            Self::DependentField => "dependent-field",
            Self::Undecided => "undecided",
        }
    }

    /// What to do instead.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Required => {
                "keep fields as required or optional as they were released, and make new ones an `Option` or give \
                 them a default; else declare a new event type"
            }
            Self::EnumValue | Self::Variant => {
                "declare a new event type, or put the new case into a new optional field; an enum that had a \
                 catch-all from its first release on takes new variants"
            }
            Self::UnknownField => {
                "remove `deny_unknown_fields` from the nested type before its first release; now, declare a new event \
                 type"
            }
            Self::Undecided => {
                "leave this part of the schema as it was released, or declare a new event type"
            }
            _ => {
                "leave the field as it was released and put the new form into a new optional field, or declare a new \
                 event type"
            }
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
