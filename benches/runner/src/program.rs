//! A candidate's program, in one process or several, without or with a Redis server of its own.

use crate::build;
use crate::figures::Sample;
use crate::plan::{Candidate, Point};
use crate::server::Server;
use serde_json::Value;
use std::process::{Child, Command, Stdio};

/// One sample of the measure that the program knows by this name.
pub(crate) fn sample(
    told: &str,
    candidate: &Candidate,
    point: &Point,
    quick: bool,
) -> Result<Sample, String> {
    one(command(told, candidate, point, quick)?)
}

/// The same with a fresh server, in so many processes at once. All of them know the whole result; the first is asked for it.
pub(crate) fn sample_with_redis(
    told: &str,
    processes: u32,
    candidate: &Candidate,
    point: &Point,
    quick: bool,
) -> Result<Sample, String> {
    let server = Server::start()?;
    let command = |process| {
        let mut command = command(told, candidate, point, quick)?;
        command
            .arg(format!("redis={}", server.url()))
            .arg(format!("folder={}", server.folder().display()))
            .arg(format!("processes={processes}"))
            .arg(format!("process={process}"));
        Ok::<_, String>(command)
    };
    let mut others = Others(Vec::new());
    for process in 1..processes {
        let child = command(process)?.stdout(Stdio::null()).spawn();
        let child = child.map_err(|error| format!("{}: {error}", candidate.name()))?;
        others.0.push(child);
    }
    let sample = one(command(0)?)?;
    // They have told the first all that it told; what they do besides is of no interest.
    drop(others);
    drop(server);
    Ok(sample)
}

/// Ended with the first, however that ended.
struct Others(Vec<Child>);

impl Drop for Others {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn command(
    told: &str,
    candidate: &Candidate,
    point: &Point,
    quick: bool,
) -> Result<Command, String> {
    let program = build::program(candidate.package)
        .map_err(|error| format!("cannot find myself: {error}"))?;
    let mut command = Command::new(program);
    command
        .args([candidate.variant, told])
        .args(point.parameters)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    if quick {
        command.arg("quick=yes");
    }
    Ok(command)
}

fn one(mut command: Command) -> Result<Sample, String> {
    let failed = |command: &Command, reason: String| {
        let arguments: Vec<_> = command
            .get_args()
            .map(|text| text.to_string_lossy())
            .collect();
        let program = command.get_program().to_string_lossy();
        format!("{program} {}: {reason}", arguments.join(" "))
    };
    let output = command
        .output()
        .map_err(|error| failed(&command, error.to_string()))?;
    if !output.status.success() {
        // It has said why. The others are worth measuring all the same; the run as a whole fails in the end.
        return Ok(Sample::Failed);
    }
    parsed(&String::from_utf8_lossy(&output.stdout)).map_err(|reason| failed(&command, reason))
}

/// The last line of what a candidate says is its result; a library may have printed something before.
fn parsed(output: &str) -> Result<Sample, String> {
    let line = output.lines().last().ok_or("said nothing")?;
    let value: Value =
        serde_json::from_str(line).map_err(|error| format!("{error} in `{line}`"))?;
    Sample::read(&value)
}
