//! Several processes on one Redis, some of them killed or paused; one module per theme.

mod failing;
mod hot;
mod killed;
mod stampede;
mod writes;
