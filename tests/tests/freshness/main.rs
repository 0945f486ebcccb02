//! Refreshing, stale values, timeouts and comparisons, on a clock that stands still unless something waits for it: with memory alone, and
//! for two processes on a model of Redis.

mod background;
mod checks;
mod closing;
mod known;
mod origin;
mod pairs;
mod stale;
mod timeouts;
mod timers;
