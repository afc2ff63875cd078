//! Counting checks.

use std::fmt;
use std::ops::AddAssign;

/// How many checks passed and how many failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Tally {
    /// One check.
    pub(crate) fn one(passed: bool) -> Self {
        Self {
            passed: usize::from(passed),
            failed: usize::from(!passed),
        }
    }

    /// The same once all that failed has passed.
    pub(crate) fn after_all(self) -> Self {
        Self {
            passed: self.passed + self.failed,
            failed: 0,
        }
    }

    /// Adds up the lines `test result: ok. 3 passed; 0 failed; …` that each test binary writes, and `# pass 3` and
    /// `# fail 0` of Node.js. What was skipped there counts as failed: nothing is skipped silently.
    pub(crate) fn of_tests(output: &str) -> Self {
        let mut total = Self::default();
        for line in output.lines() {
            let of_node = |word: &str| {
                let number = line.strip_prefix("# ")?.strip_prefix(word)?;
                number.trim().parse::<usize>().ok()
            };
            total.passed += of_node("pass ").unwrap_or(0);
            for word in ["fail ", "skipped ", "todo ", "cancelled "] {
                total.failed += of_node(word).unwrap_or(0);
            }
            let Some((_, counts)) = line
                .strip_prefix("test result: ")
                .and_then(|rest| rest.split_once(". "))
            else {
                continue;
            };
            let count = |what: &str| {
                let part = counts.split("; ").find_map(|part| part.strip_suffix(what));
                part.and_then(|number| number.trim().parse().ok())
                    .unwrap_or(0)
            };
            total += Self {
                passed: count(" passed"),
                failed: count(" failed"),
            };
        }
        total
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn the_results_of_all_binaries_are_added() {
        let output = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
            noise: test result: ok. 9 passed; 9 failed\n\
            test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s\n";
        assert_eq!(
            Tally::of_tests(output),
            Tally {
                passed: 13,
                failed: 2
            }
        );
    }

    #[test]
    fn results_of_node_are_added_too() {
        let output = "ok 1 - a page\n# tests 4\n# suites 0\n# pass 2\n# fail 1\n# cancelled 0\n# skipped 1\n# todo 0\n";
        let tally = Tally::of_tests(output);
        assert_eq!((tally.passed, tally.failed), (2, 2));
    }

    #[test]
    fn the_last_line_reads_as_promised() {
        let mut tally = Tally::one(true);
        tally += Tally::one(false);
        assert_eq!(tally.to_string(), "1 passed, 1 failed");
    }
}
