//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::workload::Workload;

pub(crate) const USAGE: &str = "\
replay: requests through an annotated function over a SQLite table

usage: replay [TRACE] [options]

  TRACE, --trace FILE  requests: big-endian 32-bit product numbers; without one, a Zipf workload
  --processes N        processes that share the requests and the Redis (1)
  --tasks M            concurrent callers in each process (16)
  --redis URL          Redis for the fleet; without it each process caches in its own memory
  --ttl TIME           how long a product stays fresh: 90 (seconds), 500ms, 30m, 1h (1h)
  --db PATH            the SQLite file (a temporary one)
  --requests N         length of the Zipf workload (100000)
  --products N         number of products in the Zipf workload (10000)
  --seed N             seed of the Zipf workload (1)
  --json               print one JSON object instead of the table

Each run starts cold: it uses a cache name of its own, and what it leaves in Redis expires with the ttl.
Exits with 1 if a call failed or a value differed from the database.";

/// What this process was started for.
#[derive(Debug)]
pub(crate) enum Invocation {
    Help,
    Worker,
    Replay(Options),
}

/// What to replay, and how.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) workload: Workload,
    pub(crate) processes: usize,
    pub(crate) tasks: usize,
    pub(crate) redis: Option<String>,
    pub(crate) ttl: Duration,
    pub(crate) db: Option<PathBuf>,
    pub(crate) json: bool,
}

pub(crate) fn parse() -> Result<Invocation, lexopt::Error> {
    parse_from(std::env::args_os().skip(1))
}

fn parse_from(arguments: impl IntoIterator<Item = OsString>) -> Result<Invocation, lexopt::Error> {
    let mut parser = Parser::from_args(arguments.into_iter().collect::<Vec<_>>());
    let mut trace = None;
    let (mut requests, mut products, mut seed) = (100_000, 10_000, 1);
    let mut options = Options {
        workload: Workload::Zipf {
            requests,
            products,
            seed,
        },
        processes: 1,
        tasks: 16,
        redis: None,
        ttl: Duration::from_secs(3600),
        db: None,
        json: false,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Value(file) if trace.is_none() => trace = Some(PathBuf::from(file)),
            Arg::Long("trace") if trace.is_none() => trace = Some(parser.value()?.into()),
            Arg::Long("processes") => options.processes = count(&mut parser, "--processes")?,
            Arg::Long("tasks") => options.tasks = count(&mut parser, "--tasks")?,
            Arg::Long("redis") => options.redis = Some(parser.value()?.string()?),
            Arg::Long("ttl") => options.ttl = parser.value()?.parse_with(duration)?,
            Arg::Long("db") => options.db = Some(parser.value()?.into()),
            Arg::Long("requests") => requests = count(&mut parser, "--requests")?,
            Arg::Long("products") => products = count(&mut parser, "--products")?,
            Arg::Long("seed") => seed = parser.value()?.parse()?,
            Arg::Long("json") => options.json = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(Invocation::Help),
            Arg::Long("worker") => return Ok(Invocation::Worker),
            unknown => return Err(unknown.unexpected()),
        }
    }
    options.workload = trace.map_or(
        Workload::Zipf {
            requests,
            products,
            seed,
        },
        Workload::Trace,
    );
    Ok(Invocation::Replay(options))
}

/// A number of something that there must be.
fn count<N: FromStr + Default + PartialEq>(
    parser: &mut Parser,
    option: &str,
) -> Result<N, lexopt::Error> {
    let value = parser.value()?.string()?;
    match value.parse() {
        Ok(number) if number != N::default() => Ok(number),
        _ => Err(format!("{option} is a whole number of at least 1, not `{value}`").into()),
    }
}

/// `90`, `500ms`, `30s`, `30m`, `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("no unit `{unit}`; write 500ms, 90, 90s, 30m or 1h")),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "write 500ms, 90, 90s, 30m or 1h".to_owned())?;
    number
        .checked_mul(millis)
        .map(Duration::from_millis)
        .ok_or_else(|| "longer than time can be".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Result<Options, String> {
        let parsed = parse_from(line.split_whitespace().map(OsString::from));
        match parsed.map_err(|error| error.to_string())? {
            Invocation::Replay(options) => Ok(options),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn trace_is_an_option_or_a_position() {
        for line in ["web12.trace --tasks 4", "--tasks 4 --trace web12.trace"] {
            let options = options(line).expect("it is valid");
            assert_eq!(options.workload, Workload::Trace("web12.trace".into()));
            assert_eq!(options.tasks, 4);
        }
        assert!(options("a.trace b.trace").is_err());
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1h"), Ok(Duration::from_secs(3600)));
        assert!(
            duration("1d").is_err()
                && duration("h").is_err()
                && duration("99999999999999999h").is_err()
        );
    }

    #[test]
    fn nothing_and_nobody_cannot_replay() {
        for option in ["--processes", "--tasks", "--requests", "--products"] {
            for value in ["0", "-1", "many"] {
                let error = options(&format!("{option} {value}")).expect_err(value);
                assert!(error.contains(option) && error.contains(value), "{error}");
            }
        }
        assert!(options("--what").is_err());
    }
}
