//! Runs the quick start as a user does.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

#[test]
fn it_greets() {
    let mut hello = Command::new(env!("CARGO_BIN_EXE_hello"))
        .env_remove("KAFKA_BOOTSTRAP_SERVERS")
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let output = hello.stdout.take().expect("it is piped");
    let greeting = BufReader::new(output)
        .lines()
        .next()
        .expect("it says something");
    hello.kill().expect("it runs until it is stopped");
    hello.wait().expect("it was started here");
    assert_eq!(
        greeting.expect("it speaks UTF-8"),
        "Hello, Ada! (ctrl-c ends this)"
    );
}

#[test]
fn it_has_at_most_fifteen_lines() {
    let lines = include_str!("../src/main.rs").lines().map(str::trim);
    let code = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    assert!(code.count() <= 15, "the quick start has grown");
}
