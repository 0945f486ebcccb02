//! What the first process and its workers tell each other: one line of JSON each, over stdin and stdout.
//!
//! A worker gets its order, prepares, says that it is ready, and starts when it is told to, so that the processes meet
//! at a cold cache together. The order goes through stdin because a command line is public and the URL of a Redis may
//! hold a password.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::tally::Tally;
use crate::workload::Workload;

/// One worker's part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) index: usize,
    pub(crate) processes: usize,
    pub(crate) tasks: usize,
    pub(crate) workload: Workload,
    pub(crate) cache: String,
    pub(crate) redis: Option<String>,
    pub(crate) ttl: Duration,
    pub(crate) db: PathBuf,
}

/// Sent to a worker after its order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Go;

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum News {
    /// Prepared; with what the user should know, such as a Redis that does not answer.
    Ready {
        warning: Option<String>,
    },
    /// Requests done so far.
    Progress(u64),
    Done(Box<Tally>),
}

pub(crate) fn send(out: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_string(message)?;
    line.push('\n');
    out.write_all(line.as_bytes())?;
    out.flush()
}

/// The next message; an error if the other side has gone.
pub(crate) fn receive<T: DeserializeOwned>(input: &mut impl BufRead) -> io::Result<T> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_str(&line)?)
}
