//! Every error of the macros has a case that shows it: what nobody sees, nobody words well.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use proc_macro2::{TokenStream, TokenTree};

/// Messages that no case can show, with the reason.
const EXCEPTIONS: [(&str, &str); 2] = [
    (
        "neither `events-core` nor `events-kafka` is a dependency",
        "a crate that depends on neither has no macro either, unless by a third crate",
    ),
    (
        ": `renamed_from` is the name under which the type was released",
        "only a crate with locks beside it says so: `cargo-events/tests/contracts` builds one",
    ),
];
/// A shorter text is no message.
const SHORTEST: usize = 14;

fn files(directory: &Path, extension: &str, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, into);
        } else if path.extension().is_some_and(|of| of == extension) {
            into.push(path);
        }
    }
}

/// The texts in a file's code, without its documentation.
fn literals(tokens: TokenStream, into: &mut Vec<String>) {
    let mut attribute = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) if !attribute => literals(group.stream(), into),
            TokenTree::Literal(literal) => {
                if let Ok(text) = syn::parse_str::<syn::LitStr>(&literal.to_string()) {
                    into.push(text.value());
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                attribute = true;
                continue;
            }
            TokenTree::Punct(punct) if attribute && punct.as_char() == '!' => continue,
            _ => {}
        }
        attribute = false;
    }
}

/// The longest part between placeholders, as a compiler's output may show it: white space is not told apart.
fn fixed(text: &str) -> String {
    let text = text.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let parts = text.split(['{', '}']).step_by(2);
    let longest = parts.max_by_key(|part| part.len()).unwrap_or_default();
    plain(&longest.replace('\u{1}', "{").replace('\u{2}', "}"))
}

fn plain(text: &str) -> String {
    let words = text.split(|one: char| one.is_whitespace() || one == '|');
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

#[test]
fn every_message_has_a_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut sources, mut outputs) = (Vec::new(), Vec::new());
    files(&root.join("src"), "rs", &mut sources);
    files(
        &root.join("../events-core/tests/ui"),
        "stderr",
        &mut outputs,
    );
    let outputs = outputs.iter().map(|path| fs::read_to_string(path).unwrap());
    let shown = plain(&outputs.collect::<Vec<_>>().join("\n"));
    let mut silent = Vec::new();
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        // Unit tests stand last.
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let mut texts = Vec::new();
        literals(TokenStream::from_str(code).unwrap(), &mut texts);
        for text in texts.iter().map(|text| fixed(text)) {
            let exempt = EXCEPTIONS.iter().any(|(begin, _)| text.starts_with(begin));
            let message = text.len() >= SHORTEST && text.contains(' ');
            if message && !exempt && !shown.contains(&text) {
                silent.push(format!("{}: {text}", path.display()));
            }
        }
    }
    assert!(
        silent.is_empty(),
        "no case below events-core/tests/ui shows:\n{}",
        silent.join("\n")
    );
}
