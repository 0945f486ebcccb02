//! Replays a trace of requests through an annotated function over a real SQLite table, in one process or several.
//!
//! ```text
//! cargo run --release -p replay -- web12.trace --processes 4 --tasks 16 --redis redis://127.0.0.1:6379
//! ```
//!
//! The number that matters is `loads`: with one Redis and a ttl longer than the run, every product is loaded once in
//! the whole fleet, however many processes and tasks ask for it at the same moment. Every value is compared with the
//! table, so a fast wrong answer shows.
//!
//! `product.rs` is the part a service would have; the rest generates requests and counts.

mod arguments;
mod catalogue;
mod fleet;
mod product;
mod protocol;
mod report;
mod tally;
mod worker;
mod workload;

use std::error::Error;
use std::process::ExitCode;

use arguments::Invocation;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("replay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let options = match arguments::parse()? {
        Invocation::Help => {
            println!("{}", arguments::USAGE);
            return Ok(ExitCode::SUCCESS);
        }
        // This very program, started by itself.
        Invocation::Worker => return worker::run().map(|()| ExitCode::SUCCESS),
        Invocation::Replay(options) => options,
    };
    let outcome = fleet::replay(&options)?;
    if options.json {
        println!("{}", report::json(&outcome));
    } else {
        print!("{}", report::table(&outcome));
    }
    Ok(if outcome.tally.is_right() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
