//! What the engine needs from the world and a test wants to replace.

mod clock;

pub(crate) use clock::Clock;
#[cfg(feature = "test-util")]
pub use clock::ManualClock;
