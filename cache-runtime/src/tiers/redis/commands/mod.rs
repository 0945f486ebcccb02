//! What the tier sends: one file per step of the protocol.
//!
//! Commands go through [`Servers`](super::servers::Servers), which gives them a connection, a permit
//! and a deadline. What several keys of one server are in is told apart there: a cluster's steps are in `cluster`. Durations reach the server as whole milliseconds, at least one (`PX 0` is an error)
//! and at most a hundred years (beyond, the server's arithmetic overflows).

mod direct;
pub(super) mod evict;
pub(super) mod labels;
mod lease;
mod read;
mod reclaim;
mod survey;
mod sweep;

use std::time::Duration;

/// Milliseconds as an argument.
pub(super) fn millis(life: Duration) -> String {
    const CENTURY: u128 = 100 * 366 * 86_400_000;
    life.as_millis().clamp(1, CENTURY).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lives_fit_the_server() {
        assert_eq!(millis(Duration::ZERO), "1");
        assert_eq!(millis(Duration::from_micros(10)), "1");
        assert_eq!(millis(Duration::from_secs(2)), "2000");
        assert_eq!(millis(Duration::MAX), "3162240000000");
    }
}
