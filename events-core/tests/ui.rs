//! Wrong uses of the macros give an error at the right place that names the remedy; generated code keeps out of the
//! user's way.
//!
//! `TRYBUILD=overwrite cargo test -p events-core --test ui` writes the expected messages anew: read what changed.

#[test]
fn messages_and_hygiene() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}

#[test]
fn locks_of_contracts() {
    for directory in ["tests/ui/lock", "tests/ui/lock/pass"] {
        let files = std::fs::read_dir(directory).expect("the cases");
        let paths = files.map(|file| file.expect("an entry").path());
        for path in paths.filter(|path| path.extension().is_some_and(|of| of == "rs")) {
            let text = std::fs::read_to_string(&path).expect("UTF-8");
            assert!(
                text.contains("lock = \""),
                "{} finds no lock, and shows nothing",
                path.display()
            );
        }
    }
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/lock/pass/*.rs");
    cases.compile_fail("tests/ui/lock/*.rs");
}
