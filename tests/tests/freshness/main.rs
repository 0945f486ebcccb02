//! Refreshing, stale values, timeouts and comparisons, on a clock that stands still unless something waits for it: with memory alone, and
//! for two processes on a model of Redis.

mod annotated;
mod background;
mod case;
mod cases;
mod checks;
mod closing;
mod corners;
mod early;
mod known;
mod origin;
mod pairs;
mod rows;
mod stale;
mod timeouts;
mod timers;
