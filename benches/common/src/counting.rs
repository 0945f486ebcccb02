//! Counts the bytes that are allocated and not yet freed.
//!
//! What an entry costs is what the library asked the allocator for; the resident set adds the allocator's own overhead and what
//! it keeps. Both are reported. While the count is off, an allocation costs one load more than without this file.

#![expect(unsafe_code, reason = "an allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};

static COUNTS: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicIsize = AtomicIsize::new(0);

/// The system's allocator, and a count.
#[derive(Debug)]
pub struct Counting;

impl Counting {
    /// From here on; what is freed later must have been allocated later for the count to mean something.
    pub(crate) fn start() {
        COUNTS.store(true, Relaxed);
    }

    /// Bytes asked for since the start and not given back.
    pub(crate) fn live() -> isize {
        LIVE.load(Relaxed)
    }
}

fn count(bytes: usize, sign: isize) {
    if COUNTS.load(Relaxed) {
        LIVE.fetch_add(sign * bytes as isize, Relaxed);
    }
}

// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promise is the one that is asked for here.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, 1);
        count(layout.size(), -1);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}
