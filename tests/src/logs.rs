//! What the program under test logs, kept for the test to read.
//!
//! Of the current thread only, so that tests do not read each other's lines: a test that looks at logs runs on a
//! runtime of one thread.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Event, Level, Metadata, Subscriber};

/// The lines of this thread since [`Logs::capture`].
#[derive(Debug)]
pub struct Logs {
    lines: Arc<Mutex<Vec<(Level, String)>>>,
    _guard: DefaultGuard,
}

impl Logs {
    /// Keeps every line, of every level, until it is dropped.
    pub fn capture() -> Logs {
        let lines = Arc::default();
        let guard = tracing::subscriber::set_default(Keeper { lines: Arc::clone(&lines) });
        Logs { lines, _guard: guard }
    }

    /// The lines a service sees by default: of level info and above.
    pub fn seen(&self) -> Vec<(Level, String)> {
        let mut lines = self.all();
        lines.retain(|(level, _)| *level <= Level::INFO);
        lines
    }

    /// All lines.
    pub fn all(&self) -> Vec<(Level, String)> {
        self.lines.lock().expect("no holder panics").clone()
    }
}

struct Keeper {
    lines: Arc<Mutex<Vec<(Level, String)>>>,
}

impl Subscriber for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // What other crates trace is not ours to promise anything about, except that it names no password either.
        metadata.is_event()
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        let mut lines = self.lines.lock().expect("no holder panics");
        lines.push((*event.metadata().level(), line.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = write!(self.0, " {field}={value:?}");
    }
}
