//! `cargo xtask faults`: the fault table, each row put to the test, the measured figure beside the required one.
//!
//! A row's tests are those of `tests/tests/faults` with its number in their names; each tells its figure on a line. Rows are run one
//! after the other, in release and with faults of full length, because what is measured is time. A row without a test is told with the
//! reason, and does not hold.

mod options;
mod report;
mod table;

use crate::run::Step;
use crate::test::ensure_redis;

use options::Options;
use report::Verdict;
use table::{Proof, Row, TABLE};

pub(crate) const USAGE: &str = "cargo xtask faults [ROW…] [--json]";

pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let options = Options::read(arguments)?;
    ensure_redis()?;
    program(&["--no-run"]).run()?;
    let mut verdicts = Vec::new();
    for row in TABLE.iter().filter(|row| options.wants(row.row)) {
        verdicts.push(judge(row)?);
    }
    print!("{}", report::shown(&verdicts, options.json));
    let failed: Vec<_> = verdicts.iter().filter(|it| it.is_failure()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = failed.iter().map(|it| it.row.row.to_string()).collect();
    Err(format!("rows that do not hold: {}", rows.join(", ")))
}

/// Runs the tests of one row.
fn judge(row: &'static Row) -> Result<Verdict, String> {
    if let Proof::Missing(why) = row.proof {
        return Ok(Verdict {
            row,
            measured: why.to_owned(),
            holds: false,
        });
    }
    let name = format!("fault_{:02}_", row.row);
    let tests = ["--", &name, "--nocapture", "--test-threads=1"];
    let (succeeded, said) = program(&tests).env("FAULTS", "full").told()?;
    let measured = report::figures(row.row, &said);
    let measured = match (succeeded, measured.is_empty()) {
        (true, true) => "no test has told a figure".to_owned(),
        (true, false) => measured,
        (false, true) => "the test failed; see above".to_owned(),
        (false, false) => format!("the test failed; see above. {measured}"),
    };
    let holds = succeeded && !report::figures(row.row, &said).is_empty();
    Ok(Verdict {
        row,
        measured,
        holds,
    })
}

fn program(last: &[&str]) -> Step {
    let all = [
        "test",
        "--release",
        "--quiet",
        "--package",
        "tests",
        "--test",
        "faults",
    ];
    Step::cargo(&[&all, last].concat())
}
