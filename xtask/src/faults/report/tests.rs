use std::collections::BTreeSet;

use super::super::table::{Proof, TABLE};
use super::{Verdict, figures, shown};
use crate::run::root;

/// The numbers in the names of the tests, `fault_05_…`.
fn tested() -> BTreeSet<u8> {
    let folder = root().join("tests/tests/faults");
    let mut rows = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the tests are there") {
        let file = file.expect("the folder can be read").path();
        let text = std::fs::read_to_string(file).expect("a source is text");
        for name in text.split("async fn fault_").skip(1) {
            let (number, _) = name.split_once('_').expect("the number, then what");
            assert_eq!(number.len(), 2, "two digits: fault_{number}");
            rows.insert(number.parse().expect("a number"));
        }
    }
    rows
}

#[test]
fn every_row_has_tests_or_a_reason_and_every_test_a_row() {
    let with = |proof: fn(&Proof) -> bool| {
        let rows = TABLE.iter().filter(move |row| proof(&row.proof));
        rows.map(|row| row.row).collect::<BTreeSet<u8>>()
    };
    assert_eq!(with(|proof| *proof == Proof::Tests), tested());
    let all: Vec<u8> = TABLE.iter().map(|row| row.row).collect();
    assert_eq!(all, (1..=68).collect::<Vec<_>>(), "no row is left out");
}

#[test]
fn figures_of_a_rows_tests_stand_side_by_side() {
    let said = "test x::fault_05_a ... fault 05: measured 3 ms\nok\nfault 05: measured 4 ms\nfault 50: measured 7\n";
    assert_eq!(figures(5, said), "3 ms; 4 ms");
    assert_eq!(figures(50, said), "7");
    assert_eq!(figures(6, said), "");
}

#[test]
fn verdicts_are_a_table_or_json() {
    let verdict = |at: usize, measured: &str, holds| Verdict {
        row: &TABLE[at],
        measured: measured.to_owned(),
        holds,
    };
    let untested = TABLE.iter().position(|row| row.proof != Proof::Tests);
    let all = [
        verdict(0, "1 µs, \"then\" 2", true),
        verdict(untested.expect("a row has no test"), "no", false),
    ];
    let json = shown(&all, true);
    assert!(
        json.starts_with("[\n  {\"row\": 1, \"fault\": \""),
        "{json}"
    );
    assert!(
        json.contains("\"measured\": \"1 µs, \\\"then\\\" 2\", \"holds\": true},\n"),
        "{json}"
    );
    assert!(json.ends_with("\"holds\": false}\n]\n"), "{json}");
    let table = shown(&all, false);
    assert!(
        table.contains("2 rows: 1 hold, 0 fail, 1 have no test"),
        "{table}"
    );
}
