//! One mistake is one error: in what editors read too, which shows each repetition, where a terminal leaves it out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Cases in which the compiler repeats itself: it judges each function of generated code by itself, and a type that is wrong
/// stands in several.
const REPEATED: [&str; 5] = [
    "emission_of_no_event",
    "event_derives_twice",
    "event_field_type",
    "one_of_no_event",
    "upcast_types",
];

/// The errors that a case's expected output shows.
fn shown(stderr: &str) -> usize {
    let begins = |line: &&str| line.starts_with("error:") || line.starts_with("error[");
    stderr.lines().filter(begins).count()
}

/// The errors of each case in the compiler's JSON. Incremental, as editors and development builds are.
fn counted(root: &Path, cases: &[String]) -> BTreeMap<String, Vec<String>> {
    let project = Path::new(env!("CARGO_TARGET_TMPDIR")).join("one-error");
    fs::create_dir_all(&project).expect("a writable target directory");
    let mut manifest = format!(
        "[package]\nname = \"one-error\"\nversion = \"0.0.0\"\nedition = \"2024\"\nautobins = false\n[workspace]\n\
         [dependencies]\nevents-core = {{ path = {root:?} }}\nserde = \"1\"\nserde_json = \"1\"\n"
    );
    for case in cases {
        let path = root.join("tests/ui/fail").join(format!("{case}.rs"));
        manifest += &format!("[[bin]]\nname = {case:?}\npath = {path:?}\n");
    }
    fs::write(project.join("Cargo.toml"), manifest).expect("writable");
    fs::copy(root.join("../Cargo.lock"), project.join("Cargo.lock")).expect("the lock file");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--bins", "--keep-going", "--offline"])
        .args(["--message-format=json", "--target-dir"])
        .arg(project.join("target"))
        .env("CARGO_INCREMENTAL", "1")
        .current_dir(&project)
        .output()
        .expect("cargo");
    let mut errors: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).expect("UTF-8").lines() {
        let message: Value = serde_json::from_str(line).expect("JSON");
        let told = &message["message"];
        let text = told["message"].as_str().unwrap_or_default();
        if message["reason"] == "compiler-message"
            && told["level"] == "error"
            && !text.starts_with("aborting")
            // Nothing uses what a case declares.
            && told["code"]["code"] != "dead_code"
        {
            let case = message["target"]["name"].as_str().unwrap_or_default();
            let all = errors.entry(case.to_owned()).or_default();
            all.push(text.to_owned());
        }
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.is_empty(), "{stderr}");
    errors
}

#[test]
fn one_mistake_is_one_error_for_editors_too() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(root.join("tests/ui/fail")).expect("the cases");
    let mut expected = BTreeMap::new();
    for file in files {
        let path = file.expect("an entry").path();
        if path.extension().is_some_and(|of| of == "stderr") {
            let case = path.file_stem().expect("a name").to_string_lossy();
            let stderr = fs::read_to_string(&path).expect("UTF-8");
            expected.insert(case.into_owned(), shown(&stderr));
        }
    }
    let cases: Vec<_> = expected.keys().cloned().collect();
    let counted = counted(root, &cases);
    let mut wrong = Vec::new();
    for (case, expected) in expected {
        let errors = counted.get(&case).map_or(&[][..], Vec::as_slice);
        let repeated = REPEATED.contains(&case.as_str());
        if (errors.len() == expected) == repeated {
            wrong.push(format!(
                "{case}: {expected} in its expected output, {} here:\n  {}",
                errors.len(),
                errors.join("\n  ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
