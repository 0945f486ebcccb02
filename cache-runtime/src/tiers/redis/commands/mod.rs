//! What the tier sends: one file per step of the protocol.
//!
//! Commands go through [`Link::call`](super::link::Link::call), which gives them a connection, a permit
//! and a deadline. Durations reach the server as whole milliseconds, at least one (`PX 0` is an error)
//! and at most a hundred years (beyond, the server's arithmetic overflows).

mod evict;
mod labels;
mod lease;
mod read;
mod reclaim;
mod sweep;

use std::time::Duration;

/// Milliseconds as an argument.
fn millis(life: Duration) -> String {
    const CENTURY: u128 = 100 * 366 * 86_400_000;
    life.as_millis().clamp(1, CENTURY).to_string()
}

/// An answer that no script of ours gives.
fn unexpected(what: &'static str) -> redis::RedisError {
    redis::RedisError::from((redis::ErrorKind::UnexpectedReturnType, what))
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
