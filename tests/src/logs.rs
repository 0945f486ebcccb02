//! What the program under test logs, kept for the test to read.
//!
//! Of the current thread only, so that tests do not read each other's lines: a test that looks at logs runs on a
//! runtime of one thread. The subscriber is the process's all the same and looks up the thread's own list, because a
//! scoped one misses lines: `tracing` asks only the thread that first comes by a line whether anybody wants it.

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

type Lines = Arc<Mutex<Vec<(Level, String)>>>;

thread_local! {
    static KEPT: RefCell<Option<Lines>> = const { RefCell::new(None) };
}

/// The lines of this thread since [`Logs::capture`].
#[derive(Debug)]
pub struct Logs {
    lines: Lines,
}

impl Drop for Logs {
    fn drop(&mut self) {
        KEPT.set(None);
    }
}

impl Logs {
    /// Keeps every line, of every level, until it is dropped.
    ///
    /// # Panics
    /// If the test program has another subscriber.
    pub fn capture() -> Logs {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            tracing::subscriber::set_global_default(Keeper).expect("the only subscriber")
        });
        let lines = Lines::default();
        KEPT.set(Some(Arc::clone(&lines)));
        Logs { lines }
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

struct Keeper;

impl Subscriber for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let Some(lines) = KEPT.with_borrow(Clone::clone) else {
            return;
        };
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        lines
            .lock()
            .expect("no holder panics")
            .push((*event.metadata().level(), line.0));
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
