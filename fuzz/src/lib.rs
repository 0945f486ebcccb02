//! What the programs of the fuzz targets have in common: the target's body in the runtime, under a meter for memory.
//!
//! The fuzzer watches for panics and for inputs that take long. That bytes from outside cannot make the runtime ask for more memory than
//! they pay for is watched here: one allocation far beyond the input, a length that was believed, ends the program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use cache_runtime::fuzzing::TARGETS;

#[global_allocator]
static METER: Meter = Meter;

thread_local! {
    /// The most bytes that one allocation may ask for.
    static MOST: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The system's allocator, which does not give more at once than is allowed at the moment.
struct Meter;

// SAFETY: every call is passed on to the system's allocator as it came, or ends the program.
unsafe impl GlobalAlloc for Meter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        weigh(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        weigh(size);
        unsafe { System.realloc(memory, layout, size) }
    }
}

fn weigh(size: usize) {
    let most = MOST.try_with(Cell::get).unwrap_or(usize::MAX);
    // What is told of a panic takes memory, and so does what is told here.
    if size > most && !std::thread::panicking() {
        MOST.set(usize::MAX);
        eprintln!("{size} bytes at once, of {most} that the input pays for");
        std::process::abort();
    }
}

/// Runs a target. An allocation may be some times as large as the input, whose bytes stand for pieces of text that may be repeated.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, check) = target.expect("every program is a target of the runtime");
    MOST.set(256 * 1024 + 1024 * bytes.len());
    check(bytes);
    MOST.set(usize::MAX);
}
