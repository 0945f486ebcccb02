//! The command line.

use std::fmt;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

pub(crate) const USAGE: &str = "\
load: requests to the product service, with its cache and without

usage: load [options]

  --connections N   callers, each with a connection of its own (32)
  --seconds N       length of a turn (3)
  --rounds N        turns of each (3)
  --redis URL       Redis behind the cache; without it the cache is memory
  --database URL    PostgreSQL or SQLite; without it a SQLite file that is removed afterwards";

/// What this process was started for.
#[derive(Debug)]
pub(crate) enum Invocation {
    Help,
    /// To be an instance: the same program, so that what is measured is what was built.
    Serve,
    Load(Options),
}

/// How to load it.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) connections: usize,
    pub(crate) turn: Duration,
    pub(crate) rounds: usize,
    pub(crate) redis: Option<String>,
    pub(crate) database: Option<String>,
}

impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options {
            connections,
            turn,
            rounds,
            ..
        } = self;
        write!(
            f,
            "{connections} connections, {rounds} turns of {turn:?} each"
        )
    }
}

pub(crate) fn parse() -> Result<Invocation, lexopt::Error> {
    let mut parser = Parser::from_env();
    let mut options = Options {
        connections: 32,
        turn: Duration::from_secs(3),
        rounds: 3,
        redis: None,
        database: None,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("connections") => options.connections = count(&mut parser)?,
            Arg::Long("seconds") => options.turn = Duration::from_secs(count(&mut parser)? as u64),
            Arg::Long("rounds") => options.rounds = count(&mut parser)?,
            Arg::Long("redis") => options.redis = Some(parser.value()?.string()?),
            Arg::Long("database") => options.database = Some(parser.value()?.string()?),
            Arg::Long("help") | Arg::Short('h') => return Ok(Invocation::Help),
            Arg::Value(word) if word == "serve" => return Ok(Invocation::Serve),
            unknown => return Err(unknown.unexpected()),
        }
    }
    Ok(Invocation::Load(options))
}

fn count(parser: &mut Parser) -> Result<usize, lexopt::Error> {
    parser.value()?.parse_with(|text| match text.parse() {
        Ok(number @ 1..=10_000) => Ok(number),
        _ => Err("it is a whole number from 1 to 10,000"),
    })
}
