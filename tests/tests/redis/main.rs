//! The whole against real Redis servers that die, stall, refuse and hold bytes of others; one module per theme.

mod arguments;
mod close;
mod cluster;
mod coherence;
mod commands;
mod damage;
mod hostile;
mod journal;
mod labels;
mod losses;
mod names;
mod permissions;
mod pushes;
mod registry;
mod restarts;
mod runtimes;
mod secrets;
mod sentinel;
mod sweeps;
mod tiers;
mod trouble;
mod unfinished_writes;
mod versions;
mod waiting;
mod ways;
mod without_bus;
