//! The fault table: each row brought about for real, what must then be true asserted, and the figure told on one line.
//!
//! A test is named after its row; `cargo xtask faults` has the table, runs these, and prints the figures beside what is required.
//! By default a fault lasts only as long as it takes to see what becomes of it; with `FAULTS=full` as long as the table says.

mod kit;

mod another_server;
mod beside;
mod clocks;
mod cluster;
mod crowds;
mod entries;
mod failover;
mod garbage;
mod hearing;
mod killed;
mod leaders;
mod names;
mod network;
mod pauses;
mod pressure;
mod redirects;
mod refreshes;
mod refusals;
mod stalled;
mod values;
mod writes;
