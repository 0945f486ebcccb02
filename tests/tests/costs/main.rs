//! What a call costs that no clock can tell: allocations, and the size of its future.
//!
//! A program of its own, because it counts: `allocation_counter` stands in the place of the allocator and counts for each thread, so
//! what the other tests of the program do meanwhile is in no figure. Instructions are counted by `cargo xtask instructions`.

mod allocations;
mod functions;
mod futures;
mod hits;
mod room;
