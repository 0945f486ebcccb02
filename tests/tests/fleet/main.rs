//! Several processes on one Redis, some of them killed or paused; one module per theme.

mod pauses;
mod stampede;
mod writes;
