//! What the program under test logs, kept for the test to read.
//!
//! Of the current thread only, so that tests do not read each other's lines: a test that looks at logs runs on a
//! runtime of one thread. The subscriber is the process's all the same and looks up the thread's own list, because a
//! scoped one misses lines: `tracing` asks only the thread that first comes by a line whether anybody wants it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, Once};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_core::span::Current;

type Lines = Arc<Mutex<Vec<(Level, String)>>>;
type Spans = Arc<Mutex<Vec<Span>>>;

/// Where what happens on a thread is kept.
#[derive(Clone, Debug, Default)]
struct Kept {
    lines: Lines,
    spans: Spans,
}

thread_local! {
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
    /// The spans this thread is in, the innermost last.
    static WITHIN: RefCell<Vec<Id>> = const { RefCell::new(Vec::new()) };
}

/// A span that was begun on this thread.
#[derive(Clone, Debug)]
pub struct Span {
    /// What it is called.
    pub name: &'static str,
    /// What it was given, at its beginning and later.
    pub fields: BTreeMap<&'static str, String>,
    /// The name of the span it was begun in.
    pub parent: Option<&'static str>,
    metadata: &'static Metadata<'static>,
}

/// What nobody keeps.
const NOBODYS: u64 = u64::MAX;

impl Kept {
    /// Does something with a span of this thread; the number of a span is its place.
    fn with<T>(&self, id: &Id, with: impl FnOnce(&mut Span) -> T) -> Option<T> {
        let mut spans = self.spans.lock().expect("no holder panics");
        let place = usize::try_from(id.into_u64()).ok()?.checked_sub(1)?;
        spans.get_mut(place).map(with)
    }

    fn current(&self) -> Option<(Id, &'static Metadata<'static>)> {
        let id = WITHIN.with_borrow(|within| within.last().cloned())?;
        let metadata = self.with(&id, |span| span.metadata)?;
        Some((id, metadata))
    }
}

fn kept() -> Option<Kept> {
    KEPT.with_borrow(Clone::clone)
}

/// The lines and the spans of this thread since [`Logs::capture`].
#[derive(Debug)]
pub struct Logs {
    kept: Kept,
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
        let kept = Kept::default();
        KEPT.set(Some(kept.clone()));
        Logs { kept }
    }

    /// The lines a service sees by default: of level info and above.
    pub fn seen(&self) -> Vec<(Level, String)> {
        let mut lines = self.all();
        lines.retain(|(level, _)| *level <= Level::INFO);
        lines
    }

    /// All lines.
    pub fn all(&self) -> Vec<(Level, String)> {
        self.kept.lines.lock().expect("no holder panics").clone()
    }

    /// All spans, in the order of their beginnings.
    pub fn spans(&self) -> Vec<Span> {
        self.kept.spans.lock().expect("no holder panics").clone()
    }
}

struct Keeper;

impl Subscriber for Keeper {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let Some(kept) = kept() else {
            return Id::from_u64(NOBODYS);
        };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let outer = kept.current().filter(|_| attributes.is_contextual());
        let mut spans = kept.spans.lock().expect("no holder panics");
        spans.push(Span {
            name: attributes.metadata().name(),
            fields: fields.0,
            parent: outer.map(|(_, metadata)| metadata.name()),
            metadata: attributes.metadata(),
        });
        Id::from_u64(spans.len() as u64)
    }

    fn record(&self, id: &Id, record: &Record<'_>) {
        let mut fields = Fields::default();
        record.record(&mut fields);
        if let Some(kept) = kept() {
            kept.with(id, |span| span.fields.extend(fields.0));
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let Some(kept) = kept() else {
            return;
        };
        let mut line = Line(event.metadata().target().to_owned());
        event.record(&mut line);
        kept.lines
            .lock()
            .expect("no holder panics")
            .push((*event.metadata().level(), line.0));
    }

    fn enter(&self, id: &Id) {
        WITHIN.with_borrow_mut(|within| within.push(id.clone()));
    }

    fn exit(&self, id: &Id) {
        WITHIN.with_borrow_mut(|within| {
            if let Some(place) = within.iter().rposition(|it| it == id) {
                within.remove(place);
            }
        });
    }

    fn current_span(&self) -> Current {
        match kept().and_then(|kept| kept.current()) {
            Some((id, metadata)) => Current::new(id, metadata),
            None => Current::none(),
        }
    }
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = write!(self.0, " {field}={value:?}");
    }
}
