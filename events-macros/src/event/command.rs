//! What a command has beside an event: an owner, a topic of its own, and perhaps a reply.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::{LitStr, Type};

use super::model::Model;
use crate::errors::Errors;
use crate::options::{Given, Usage};
use crate::{krate, name};

const COMMAND: [Usage; 2] = [
    ("owner", "`owner = \"inventory\"`"),
    ("reply", "`reply = StockReply`"),
];

/// Which of the two an item is.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    #[default]
    Event,
    Command,
}

impl Kind {
    /// The attribute's name, on the item and on its fields.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Command => "command",
        }
    }

    pub(super) fn no_struct(self) -> &'static str {
        match self {
            Self::Event => {
                "an event is a struct: `#[event(topic = \"…\")] pub struct OrderPlaced { … }`"
            }
            Self::Command => {
                "a command is a struct: `#[command(owner = \"…\")] pub struct ReserveStock { … }`"
            }
        }
    }

    /// The options that it may have. Those of a command on an event are taken out of the tokens, with an error of their
    /// own.
    pub(super) fn options(
        self,
        tokens: TokenStream,
        both: &[Usage],
        errors: &mut Errors,
    ) -> (TokenStream, Vec<Usage>) {
        if self == Self::Command {
            return (tokens, COMMAND.iter().chain(both).copied().collect());
        }
        let mut begins = true;
        for token in tokens.clone() {
            if let TokenTree::Ident(word) = &token
                && begins
                && COMMAND.iter().any(|(command, _)| word == command)
            {
                errors.at(word, format!("an event has no `{word}`, for anybody may handle it: what is told one service to do is a command, `#[command(owner = \"…\")]`"));
                // What is left would be told to be unknown.
                return (without(tokens, &COMMAND), both.to_vec());
            }
            begins = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',');
        }
        (tokens, both.to_vec())
    }
}

/// The tokens without these options.
fn without(tokens: TokenStream, left_out: &[Usage]) -> TokenStream {
    let mut kept = TokenStream::new();
    let (mut begins, mut leaving) = (true, false);
    for token in tokens {
        if begins {
            leaving = matches!(&token, TokenTree::Ident(word) if left_out.iter().any(|(name, _)| word == name));
        }
        begins = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',');
        if !leaving {
            kept.extend([token]);
        }
    }
    kept
}

/// What only commands have.
#[derive(Default)]
pub(super) struct Owner {
    /// The owning service.
    pub(super) service: Option<LitStr>,
    /// Whether an owner was named at all, well or not.
    given: bool,
    reply: Option<Type>,
}

impl Owner {
    pub(super) fn take(&mut self, given: &Given, errors: &mut Errors) {
        if given.name() == "owner" {
            self.given = true;
            self.service = given.string(errors);
        } else {
            self.reply = given.parse(errors);
        }
    }

    /// Looks for what is wrong with the owner of a command.
    pub(super) fn check(&self, errors: &mut Errors) {
        match &self.service {
            Some(service) => {
                if let Some(fault) = name::part("owner", &service.value()) {
                    errors.at(service, fault);
                }
            }
            None if self.given => {}
            None => errors.at_span(
                Span::call_site(),
                "a command needs an owner, the one service that handles it: `#[command(owner = \"inventory\")]`",
            ),
        }
    }

    /// What is left of a faulty command has none of it.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Whether something is wrong with its name.
    pub(super) fn refused(&self) -> bool {
        let service = self.service.as_ref();
        service.is_some_and(|service| name::part("owner", &service.value()).is_some())
    }

    /// The topic of a command that names none.
    pub(super) fn topic(&self, name: &str) -> Option<LitStr> {
        let service = self.service.as_ref()?;
        let topic = format!("{}.{}", service.value(), kebab(name));
        Some(LitStr::new(&topic, service.span()))
    }
}

/// `reserve-stock` of `ReserveStock`.
fn kebab(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (place, letter) in letters.iter().enumerate() {
        let before = place.checked_sub(1).map(|before| letters[before]);
        let small = |letter: Option<&char>| letter.is_some_and(|letter| letter.is_lowercase());
        // A word begins at a capital behind a small letter, and at the last one of several before a small letter.
        if letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_uppercase() && small(letters.get(place + 1)))
            })
        {
            text.push('-');
        }
        if *letter == '_' {
            text.push('-');
        } else {
            text.extend(letter.to_lowercase());
        }
    }
    text
}

/// What tells events and commands apart.
pub(super) fn expand(model: &Model) -> TokenStream {
    let (private, ident) = (&model.private, &model.item.ident);
    if model.kind == Kind::Event {
        return quote! {
            #[automatically_derived]
            impl #private::Fact for #ident {}
        };
    }
    // Spanned at the type, where one that is no event is to be seen.
    let reply = model.owner.reply.as_ref().map(|reply| {
        let span = krate::span(reply);
        let private = krate::at(span, private);
        quote_spanned! {span=>
            #[automatically_derived]
            impl #private::Request for #ident {
                type Reply = #reply;
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #private::Command for #ident {}
        #reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_made_of_the_commands_name() {
        for (name, topic) in [
            ("ReserveStock", "reserve-stock"),
            ("Reserve", "reserve"),
            ("SendHTTPRequest", "send-http-request"),
            ("Scan2DCode", "scan2-d-code"),
            ("reserve_stock", "reserve-stock"),
            ("shop.ReserveStock", "shop.reserve-stock"),
        ] {
            assert_eq!(kebab(name), topic);
        }
    }
}
