//! What can happen next, and which two events may be swapped without anybody noticing.

use cache_runtime::testing::Step;

/// Something that happens when the exploration says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The same in every schedule that has been the same so far.
    pub(crate) id: u64,
    pub(crate) process: usize,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A step in the network is over.
    Over(Step),
    /// A caller gives up its command, which is carried out later all the same.
    GivesUp,
    /// The subscriber's connection breaks in place of a message.
    Breaks,
    /// A read begins. From a process without memory it sees at once what is in Redis.
    Reads { has_memory: bool },
    /// A put begins.
    Puts,
    /// The database takes a write.
    Commits,
    /// A load looks at the database.
    Looks,
    /// What it saw comes back.
    Returns,
    /// A caller drops its call.
    Drops,
}

/// Two events may be swapped if neither writes what the other reads or writes.
#[derive(Clone, Copy)]
struct Touched {
    read: u16,
    written: u16,
}

const SERVER: u16 = 1;
const DATABASE: u16 = 1 << 1;
/// How many faults and drops may still happen.
const FAULTS: u16 = 1 << 2;
const DROPS: u16 = 1 << 3;

impl Event {
    fn touched(&self) -> Touched {
        let process = 1 << (4 + self.process);
        let (read, written) = match self.kind {
            // Two reads of the server see the same in either order.
            Kind::Over(Step::Command("read" | "standings")) => (SERVER, 0),
            Kind::Over(Step::Command(_) | Step::Between | Step::Subscribe) => (0, SERVER),
            Kind::Over(_) | Kind::Returns | Kind::Puts => (0, process),
            Kind::Reads { has_memory: true } => (0, process),
            Kind::Reads { has_memory: false } => (SERVER, process),
            Kind::Looks => (DATABASE, process),
            Kind::Commits => (0, process | DATABASE),
            Kind::GivesUp | Kind::Breaks => (0, process | FAULTS),
            Kind::Drops => (0, process | DROPS),
        };
        Touched { read, written }
    }

    /// Whether their order may matter.
    pub(crate) fn conflicts(&self, other: &Self) -> bool {
        let (one, two) = (self.touched(), other.touched());
        one.written & (two.read | two.written) != 0 || two.written & one.read != 0
    }
}
