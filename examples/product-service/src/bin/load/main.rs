//! What the cache is worth: the service with it and without it, under the same load, in turns.
//!
//! ```text
//! cargo run --release -p product-service --bin load
//! ```
//!
//! Both instances run all the time, over one database of their own; one is driven while the other rests, so that whatever else the machine
//! does falls on both. Every connection waits for its answer before it asks again.

mod arguments;
mod connection;
mod drive;
mod instance;
mod mix;
mod report;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use self::arguments::{Invocation, Options};
use self::instance::Instance;
use self::mix::Mix;
use self::report::Report;

/// Whatever ends the program.
type Failure = Box<dyn Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match arguments::parse() {
        Ok(Invocation::Help) => {
            println!("{}", arguments::USAGE);
            Ok(())
        }
        Ok(Invocation::Serve) => instance::serve().await,
        Ok(Invocation::Load(options)) => compare(&options).await,
        Err(error) => Err(error.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn compare(options: &Options) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let own = format!("sqlite://{}/shop.db", folder.path().display());
    let database = options.database.as_deref().unwrap_or(&own);
    let redis = options.redis.as_deref();
    // One after the other: the first makes the database.
    let cached = Instance::start("on", database, redis).await?;
    let uncached = Instance::start("off", database, redis).await?;
    let mix = Arc::new(Mix::of(&cached).await?);
    println!("{options}, {mix}\n");
    let mut report = Report::new();
    for round in 1..=options.rounds {
        for (name, instance) in [("with the cache", &cached), ("without", &uncached)] {
            let figures = drive::drive(instance, &mix, options).await?;
            report.add(round, name, figures);
        }
    }
    report.conclude();
    Ok(())
}
