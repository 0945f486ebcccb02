//! Several processes on a model of Redis that is slow or silent, on a paused clock; one module per theme.

mod budgets;
mod close;
mod connections;
mod holds;
mod journal;
mod patterns;
mod promotion;
mod puts;
mod refills;
mod unknown_tags;
