//! Rate limits.
//!
//! A limit is a promise about a whole service, so its count is in Redis, where every instance counts: one script for each limit and request, which reads the
//! server's clock, judges, and writes one small key that ends by itself. Two algorithms: [`RateLimit::gcra`], exact, and
//! [`RateLimit::sliding_window`], two counters with an error that has a bound. Both are the same arithmetic in Rust, for services without Redis and
//! for the time it does not answer: a limit never makes a request fail because Redis does, unless it is told to.
//!
//! * A request is counted in every limit of a layer at once, in one round trip. If one of them refuses, it has counted in those that had room.
//! * What is refused never reaches the service behind, and is not counted where it was refused.
//! * A request that is dropped while it is counted (its client left) has counted or not.
//! * Whose count it is (an address, a user) is digested: no text of a client's becomes part of a key, and none is readable in Redis.

mod algorithm;
mod by;
mod decision;
mod fields;
mod gcra;
mod layer;
mod memory;
mod refusal;
mod rule;
mod window;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;

use crate::address::Address;
use algorithm::Algorithm;
use gcra::Gcra;
use window::Window;

#[cfg(feature = "axum")]
pub use by::Route;
pub use by::{By, User};
pub use layer::{RateLimited, RateLimits};

/// One limit: how many, of whom, counted how. [`RateLimits`] is the layer.
///
/// ```
/// use std::time::Duration;
/// use cache_http::address::Address;
/// use cache_http::limit::{RateLimit, User};
///
/// // 100 a minute, all at once if need be.
/// let addresses = RateLimit::gcra(100, Duration::from_secs(60)).by(Address::peer());
/// // 10 a second in the long run, no more than 5 at once.
/// let smooth = RateLimit::gcra(10, Duration::from_secs(1)).burst(5).name("smooth");
/// // 1000 in any hour, uploads counting as ten.
/// let users = RateLimit::sliding_window(1000, Duration::from_secs(3600))
///     .by(User(|parts: &http::request::Parts| parts.extensions.get::<String>().cloned()))
///     .cost(|parts| if parts.method == http::Method::PUT { 10 } else { 1 });
/// ```
#[derive(Clone)]
pub struct RateLimit {
    form: Form,
    n: u32,
    per: Duration,
    name: Option<String>,
    by: Arc<dyn By>,
    cost: Option<Cost>,
    fallback: Fallback,
}

/// What a request counts as.
type Cost = Arc<dyn Fn(&Parts) -> u32 + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Gcra { burst: u32 },
    Window,
}

/// What a limit does while Redis does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fallback {
    /// Counts in this process, from zero, each instance its part of the limit ([`RateLimits::instances`]).
    #[default]
    Memory,
    /// Lets everything through.
    Allow,
    /// Lets nothing through: 503 with `Retry-After`. For what had better not happen uncounted, such as trying passwords.
    Deny,
}

/// Nothing is counted over a longer time.
const LONGEST: Duration = Duration::from_secs(366 * 86_400);

impl RateLimit {
    /// `n` in `per`, exactly: a bucket of `n` ([`burst`](Self::burst)) that a request takes one from, and that gets one back after each `per / n` (in whole
    /// microseconds, rounded up). So in any time `t` no more than `burst + t·n/per` come through: someone who has been away for long may send `n` at once, and `n` more over the
    /// next `per`. `per` is up to 366 days.
    ///
    /// # Panics
    ///
    /// If `n` or `per` is zero, which would let nobody through for ever, or everybody.
    #[must_use]
    pub fn gcra(n: u32, per: Duration) -> Self {
        Self::new(Form::Gcra { burst: n }, n, per)
    }

    /// At most `n` in any time of the length `per` (in whole milliseconds, rounded up; up to 366 days), where requests are spread evenly; and always fewer than `2n`.
    ///
    /// With `f` the part of the present window (windows begin at multiples of `per`) that has passed and `b` the requests counted in the one before, no more than `n + b·f` were
    /// allowed in the time `per` that has just passed; and the estimate is up to `b·(1 − f)` above the truth. Unlike [`gcra`](Self::gcra) it gives the quota back
    /// with the age of the requests, not at a steady rate: someone who sent `n` at once waits for most of `per`.
    ///
    /// # Panics
    ///
    /// As [`gcra`](Self::gcra).
    #[must_use]
    pub fn sliding_window(n: u32, per: Duration) -> Self {
        Self::new(Form::Window, n, per)
    }

    fn new(form: Form, n: u32, per: Duration) -> Self {
        assert!(n > 0, "a limit of zero would let nobody through, for ever");
        assert!(!per.is_zero(), "a limit in no time at all limits nothing");
        Self {
            form,
            n,
            per: per.min(LONGEST),
            name: None,
            by: Arc::new(Address::peer()),
            cost: None,
            fallback: Fallback::Memory,
        }
    }

    /// How many may come at once: the size of the bucket of [`gcra`](Self::gcra), at least 1; without it, `n`.
    ///
    /// # Panics
    ///
    /// If `burst` is zero, which would let nobody through; and for a sliding window, which has no such number.
    #[must_use]
    pub const fn burst(mut self, burst: u32) -> Self {
        assert!(
            burst > 0,
            "a burst of zero would let nobody through, for ever"
        );
        match self.form {
            Form::Gcra { .. } => self.form = Form::Gcra { burst },
            Form::Window => panic!("a sliding window has no burst: all of it may come at once"),
        }
        self
    }

    /// Whom it counts; default: the peer's [`Address`].
    #[must_use]
    pub fn by(mut self, by: impl By) -> Self {
        self.by = Arc::new(by);
        self
    }

    /// What it is called: in the fields of the response, and as part of its keys. Default: after what it counts by (`address`, `user`). Two limits with the
    /// same name and numbers share their counts in Redis, so that two routes may have one limit between them, and must be named apart if they should not.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What a request counts as; default 1. Zero: the limit does not concern it. More than the limit allows at once counts as that much, because it could
    /// never pass otherwise.
    #[must_use]
    pub fn cost(mut self, cost: impl Fn(&Parts) -> u32 + Send + Sync + 'static) -> Self {
        self.cost = Some(Arc::new(cost));
        self
    }

    /// What it does while Redis does not answer within the cache's budget; default: [`Fallback::Memory`].
    #[must_use]
    pub const fn on_outage(mut self, fallback: Fallback) -> Self {
        self.fallback = fallback;
        self
    }
}

impl Form {
    /// Of one of so many instances.
    fn algorithm(self, n: u32, per: Duration, instances: u32) -> Algorithm {
        let instances = u64::from(instances.max(1));
        let part = |number: u32| (u64::from(number) / instances).max(1);
        let micros = u64::try_from(per.as_micros()).expect("`new` has bounded it");
        match self {
            Self::Gcra { burst } => Algorithm::Gcra(
                Gcra::new(u64::from(n), micros, u64::from(burst)).part_of(instances),
            ),
            Self::Window => Algorithm::Window(Window::new(part(n), micros.div_ceil(1000))),
        }
    }
}

impl fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimit")
            .field("name", self.name.as_ref().unwrap_or(&self.by.name()))
            .field("form", &self.form)
            .field("n", &self.n)
            .field("per", &self.per)
            .field("fallback", &self.fallback)
            .finish_non_exhaustive()
    }
}
