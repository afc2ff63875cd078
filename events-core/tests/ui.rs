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
