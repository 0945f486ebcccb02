use super::{Comparable, Report};
use crate::instructions::count::Count;
use crate::instructions::environment::Environment;
use crate::instructions::record::Record;

const HERE: &str = "x86_64: one compiler";

fn count(path: &str, instructions: u64) -> Count {
    Count {
        path: path.to_owned(),
        instructions,
        tolerance: 3,
        profile: "a/profile".into(),
    }
}

/// Counts of `hit` and `miss` in an environment, beside 1,000 and 20,000.
fn report(environment: &str, hit: u64, miss: u64) -> Report {
    let record = Record::read(&format!("{HERE}\nhit 1000\nmiss 20000\n")).unwrap();
    let environment = Environment::read(environment).unwrap();
    Report::of(
        &record,
        &environment,
        &[count("hit", hit), count("miss", miss)],
    )
}

fn failure(environment: &str, hit: u64, miss: u64) -> String {
    report(environment, hit, miss).outcome().unwrap_err()
}

#[test]
fn what_stays_within_its_tolerance_is_fine_in_both_directions() {
    for (hit, miss) in [(1_000, 20_000), (1_030, 19_400), (970, 20_600)] {
        assert_eq!(report(HERE, hit, miss).outcome(), Ok(()), "{hit}, {miss}");
    }
}

#[test]
fn count_that_grew_fails_and_names_its_path_alone() {
    let failure = failure(HERE, 1_031, 20_000);
    assert!(
        failure.contains("`hit` takes 1031 instructions a call, and 1000 are recorded"),
        "{failure}"
    );
    assert!(
        failure.contains("callgrind_annotate --inclusive=yes a/profile"),
        "{failure}"
    );
    assert!(!failure.contains("`miss`"), "{failure}");
}

#[test]
fn count_that_shrank_fails_and_asks_to_be_recorded() {
    let failure = failure(HERE, 1_000, 19_399);
    assert!(
        failure.contains("`miss` takes only 19399 instructions a call"),
        "{failure}"
    );
    assert!(
        failure.contains("cargo xtask instructions --record"),
        "{failure}"
    );
    assert!(!failure.contains("`hit`"), "{failure}");
}

#[test]
fn with_other_tools_only_growth_beyond_theirs_fails() {
    let other = "x86_64: another compiler";
    assert_eq!(report(other, 1_180, 2_000).outcome(), Ok(()));
    let failure = failure(other, 1_181, 2_000);
    assert!(failure.contains("`hit`"), "{failure}");
    let shown = report(other, 1_000, 20_000).to_string();
    for part in ["one compiler", "another compiler", "The tools differ"] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn for_another_target_nothing_is_compared_and_that_is_said() {
    let report = report("aarch64: one compiler", 9_000, 9);
    assert_eq!(report.comparable, Comparable::Not);
    assert_eq!(report.outcome(), Ok(()));
    assert!(report.to_string().contains("nothing is compared"));
}

#[test]
fn path_without_a_figure_and_figure_without_a_path_fail() {
    let record = Record::read(&format!("{HERE}\nold 7\n")).unwrap();
    let environment = Environment::read(HERE).unwrap();
    let report = Report::of(&record, &environment, &[count("new", 7)]);
    let failure = report.outcome().unwrap_err();
    assert!(
        failure.contains("`new` takes 7 instructions a call, and nothing"),
        "{failure}"
    );
    assert!(failure.contains("`old` is recorded"), "{failure}");
}

#[test]
fn table_has_both_figures_and_the_difference() {
    let shown = report(HERE, 1_015, 20_000).to_string();
    let line = shown.lines().find(|line| line.starts_with("hit ")).unwrap();
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words, ["hit", "1015", "1000", "+1.5", "%"]);
}
