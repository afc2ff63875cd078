use super::Again;

const FAILED: &str = "running 2 tests\n\
    test a::one ... FAILED\n\
    failures:\n\n---- a::one stdout ----\n    boom\n\n\
    failures:\n    a::one\n\n\
    test result: FAILED. 1 passed; 1 failed; 0 ignored\n";

fn words(runs: Option<Vec<Vec<String>>>) -> Vec<String> {
    runs.into_iter()
        .flatten()
        .map(|run| run.join(" "))
        .collect()
}

#[test]
fn a_failed_test_of_a_binary_runs_again_by_its_name() {
    assert_eq!(words(Again::Binary.runs(FAILED)), ["--exact a::one"]);
}

#[test]
fn a_binary_that_crashed_runs_again_as_a_whole() {
    let runs = Again::Binary.runs("running 2 tests\ntest a::one ... ok\n");
    assert_eq!(runs, Some(vec![vec![]]));
}

#[test]
fn cargo_runs_a_failed_test_in_its_target() {
    let output = format!("{FAILED}error: 1 target failed:\n    `-p events-kafka --test runtime`\n");
    assert_eq!(
        words(Again::Cargo.runs(&output)),
        ["--test runtime -- --exact a::one"]
    );
    let output = format!("{FAILED}error: test failed, to rerun pass `-p events-core --lib`\n");
    assert_eq!(
        words(Again::Cargo.runs(&output)),
        ["--lib -- --exact a::one"]
    );
}

#[test]
fn cargo_runs_the_targets_of_a_crash_as_a_whole() {
    let output =
        format!("{FAILED}error: 2 targets failed:\n    `-p a --test runtime`\n    `-p b --lib`\n");
    assert_eq!(words(Again::Cargo.runs(&output)), ["--test runtime --lib"]);
}

#[test]
fn a_build_that_fails_and_many_failures_do_not_run_again() {
    let build = "error[E0425]: cannot find value\nerror: could not compile `events-core`\n";
    assert_eq!(Again::Cargo.runs(build), None);
    let many: String = (0..6).map(|n| format!("    test_{n}\n")).collect();
    let many = format!("x\nfailures:\n{many}\ntest result: FAILED. 0 passed; 6 failed\n");
    assert_eq!(Again::Binary.runs(&many), None);
}

#[test]
fn the_fault_bench_plays_the_failed_scenarios_again() {
    let output = "[sigkill] workers die (seed 1)\n[zombie] VIOLATED I2 task 3\n\
        [zombie] VIOLATED I2 task 4\n[parked] FAILED: no worker\n";
    assert_eq!(
        Again::Scenarios.runs(output),
        Some(vec![vec!["zombie,parked".to_owned()]])
    );
    assert_eq!(Again::Scenarios.runs("error: no broker"), None);
}
