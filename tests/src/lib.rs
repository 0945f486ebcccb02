//! What the behaviour tests stand on: real Redis servers, a faulty network between, and fleets of processes.
//!
//! The promises under test are about servers that die, sockets that lie and processes that are killed, and a mock
//! agrees with whoever wrote it. So everything here is the real thing, made controllable: a [`server::RedisServer`]
//! is a process of its own on a free port, a [`proxy::Proxy`] is a TCP hop that can be told to misbehave, and a
//! [`fleet::Fleet`] is worker processes that can be asked, paused and killed one by one. What a test starts ends with
//! the value that stands for it, also when the test panics.
//!
//! Failures of the harness itself panic with the reason, because a test cannot go on without it; only what a test may
//! want to see fail (a worker that died, a server that is down) comes back as a `Result`.

pub mod caches;
pub mod crowd;
pub mod entries;
pub mod eventually;
pub mod fleet;
pub mod logs;
pub mod model;
pub mod origin;
mod pages;
mod ports;
pub mod postgres;
pub mod promise;
pub mod proxy;
pub mod resp;
pub mod scenarios;
pub mod scripted;
pub mod server;
mod signal;
pub mod times;
pub mod variables;
pub mod worker;
