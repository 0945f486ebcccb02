//! The command line of a candidate, and which measure it stands for.

use crate::candidate::Candidate;
use crate::measure::{
    self, aborted, cliff, cold_fleet, entries, evictions, hits, misses, redis_hits, redis_memory,
    redis_misses, stampede, stopped,
};
use crate::report::Report;
use crate::{keys, origin};
use std::collections::BTreeMap;
use std::env;
use std::time::Duration;

/// One run of one measure: `PROGRAM VARIANT MEASURE [name=value…]`.
#[derive(Debug)]
pub struct Run {
    program: String,
    variant: String,
    measure: String,
    parameters: Parameters,
}

/// Which method of a [`Candidate`] a run calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    Shared,
    Owned,
    Three,
    Text,
    Blob,
    SharedBlob,
    Document,
    Slow,
}

/// What the measure is to vary, as `name=value`; every name has a default.
#[derive(Debug, Default)]
pub struct Parameters(BTreeMap<String, String>);

impl Parameters {
    pub fn number(&self, name: &str, default: u64) -> u64 {
        self.0.get(name).map_or(default, |text| {
            text.parse()
                .unwrap_or_else(|_| panic!("{name}={text} is no number"))
        })
    }

    pub fn word<'p>(&'p self, name: &str, default: &'p str) -> &'p str {
        self.0.get(name).map_or(default, String::as_str)
    }

    /// The URL of the server that was started for this run, if one was.
    pub(crate) fn server(&self) -> Option<&str> {
        self.0.get("redis").map(String::as_str)
    }

    /// The same in a measure of Redis.
    pub(crate) fn redis(&self) -> &str {
        self.server().expect("a measure of Redis is given a server")
    }

    /// Whether the run is to be short.
    pub fn quick(&self) -> bool {
        self.word("quick", "no") == "yes"
    }
}

impl Run {
    /// Reads the command line, and makes the keys and values.
    pub fn from_arguments() -> Run {
        let mut arguments = env::args();
        let program = arguments.next().unwrap_or_default();
        let program = program.rsplit('/').next().unwrap_or_default().to_owned();
        let (Some(variant), Some(measure)) = (arguments.next(), arguments.next()) else {
            panic!("usage: {program} VARIANT MEASURE [name=value…]");
        };
        let pair = |argument: String| {
            let (name, value) = argument.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        };
        let parameters =
            arguments.map(|argument| pair(argument).expect("arguments are name=value"));
        let parameters = Parameters(parameters.collect());
        origin::prepare(
            parameters.number("length", 100) as usize,
            Duration::from_millis(parameters.number("delay", 50)),
        );
        keys::prepare(origin::PRODUCTS);
        if measure == "entries" {
            entries::begin();
        }
        let run = Run {
            program,
            variant,
            measure,
            parameters,
        };
        // The keys that are more than a number exist for so many products.
        let numbers = ["entries", "evictions", "redis-memory"].contains(&run.measure.as_str());
        assert!(run.keys() <= origin::PRODUCTS || numbers);
        run
    }

    /// The name of the measure, for one that is not in this library.
    pub fn told(&self) -> &str {
        &self.measure
    }

    /// Prints the line of such a measure.
    pub fn tell(&self, report: &Report) {
        report.print(&self.measure, &format!("{}/{}", self.program, self.variant));
    }

    /// What every measure runs on.
    pub fn runtime(&self) -> tokio::runtime::Runtime {
        measure::runtime()
    }

    pub fn variant(&self) -> &str {
        &self.variant
    }

    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The URL of the server that was started for this run.
    pub fn redis(&self) -> &str {
        self.parameters.redis()
    }

    /// How many keys will be asked for again.
    pub(crate) fn keys(&self) -> u64 {
        self.parameters.number("entries", origin::PRODUCTS)
    }

    /// How many entries a bounded cache must be able to hold without evicting any: a quarter more than there will be, because keys do not
    /// spread evenly over shards, and the more unevenly the fewer there are.
    pub fn capacity(&self) -> usize {
        let entries = match self.measure.as_str() {
            "misses" => misses::COUNT,
            "redis-misses" => redis_misses::COUNT,
            _ => self.keys(),
        };
        entries as usize + (entries as usize / 4).max(1_000)
    }

    /// The capacity of a cache for this form alone, where an empty one costs as much as a full one: next to nothing if this run does not use it.
    pub fn room(&self, form: Form) -> usize {
        if form == self.form() {
            self.capacity()
        } else {
            1
        }
    }

    fn form(&self) -> Form {
        let (key, value) = (
            self.parameters.word("key", "id"),
            self.parameters.word("value", "shared"),
        );
        match (self.measure.as_str(), key, value) {
            ("stampede" | "aborted" | "cold-fleet" | "cliff", _, _) => Form::Slow,
            ("evictions", _, _) => Form::Owned,
            (_, "id", "shared") => Form::Shared,
            (_, "id", "owned") => Form::Owned,
            (_, "id", "blob") => Form::Blob,
            (_, "id", "shared_blob") => Form::SharedBlob,
            (_, "id", "document") => Form::Document,
            (_, "three", "shared") => Form::Three,
            (_, "text", "shared") => Form::Text,
            _ => panic!("no candidate has keys of form `{key}` and values of form `{value}`"),
        }
    }

    /// Runs the measure and prints its line.
    pub fn measure<C: Candidate>(&self, candidate: C) {
        self.measure_made(async move { candidate });
    }

    /// The same for a candidate that is made on the runtime it will run on.
    pub fn measure_made<C: Candidate>(&self, making: impl Future<Output = C>) {
        let parameters = &self.parameters;
        let runtime = measure::runtime();
        let candidate = runtime.block_on(making);
        let report: Report = match self.measure.as_str() {
            "hits" => hits::measure(&runtime, candidate, parameters, self.form(), self.keys()),
            "entries" => {
                let bound = self.capacity() as u64;
                entries::measure(&runtime, candidate, parameters, self.keys(), bound)
            }
            "misses" => misses::measure(&runtime, candidate),
            "stampede" => stampede::measure(&runtime, candidate, parameters),
            "aborted" => aborted::measure(&runtime, candidate),
            "redis-hits" => {
                redis_hits::measure(&runtime, candidate, parameters, self.form(), self.keys())
            }
            "redis-misses" => redis_misses::measure(&runtime, candidate, parameters),
            "cold-fleet" => cold_fleet::measure(&runtime, candidate, parameters),
            "cliff" => cliff::measure(&runtime, candidate, parameters),
            "evictions" => evictions::measure(&runtime, candidate, parameters, self.keys()),
            "redis-memory" => redis_memory::measure(&runtime, candidate, parameters, self.keys()),
            "stopped" => stopped::measure(&runtime, candidate, parameters, self.keys()),
            unknown => panic!("no measure is called `{unknown}`"),
        };
        self.tell(&report);
    }

    /// For a variant the candidate does not know.
    pub fn unknown(&self) -> ! {
        panic!("{} has no variant `{}`", self.program, self.variant)
    }
}
