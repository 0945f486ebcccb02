//! What the engine needs from the world and a test wants to replace.

mod clock;
#[cfg(feature = "test-util")]
mod hosts;

pub(crate) use clock::Clock;
#[cfg(feature = "test-util")]
pub use clock::ManualClock;
#[cfg(feature = "test-util")]
pub use hosts::Hosts;
