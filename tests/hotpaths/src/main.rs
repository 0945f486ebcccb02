//! Fixed work on the hot paths, for `cargo xtask instructions` to count.
//!
//! Times say little on a machine that does other things as well; the instructions of the same work are nearly the same each time. So
//! this program does one thing, on one thread, so many times: what two runs differ in, divided by what their numbers of calls differ
//! in, is what one call costs, without the start of the program, the set-up and the first call.
//!
//! `hotpaths` lists the paths; `hotpaths NAME CALLS` runs one. `hit_redis` wants an empty server under `REDIS_URL`.

mod functions;
mod paths;

use std::process::ExitCode;

use paths::PATHS;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => list(),
        [name, calls] => match calls.parse() {
            Ok(calls) if run(name, calls) => ExitCode::SUCCESS,
            _ => usage(),
        },
        _ => usage(),
    }
}

/// Each path with what is to be run of it and how exact its count is.
fn list() -> ExitCode {
    for path in &PATHS {
        let (few, many) = path.runs;
        println!("{} {few} {many} {}", path.name, path.tolerance);
    }
    ExitCode::SUCCESS
}

fn run(name: &str, calls: u64) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be had");
    runtime.block_on(paths::run(name, calls))
}

fn usage() -> ExitCode {
    eprintln!("usage: hotpaths [NAME CALLS]");
    ExitCode::FAILURE
}
