//! What a site wants: how long values live, who waits for whom, which tiers take part.
//!
//! Pure data and arithmetic: no I/O and no clock of its own. A [`Policy`] says what was asked for; laid over
//! the cache's defaults it becomes [`Resolved`], which has an answer for everything.

mod life;
mod resolved;

pub(crate) use life::{Life, Lifetimes};
pub(crate) use resolved::Resolved;

use std::time::Duration;

/// Who waits for a load that is already running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StampedeProtection {
    /// Nobody: every caller that misses loads.
    Off,
    /// The callers in this process wait for one load per key.
    Process,
    /// All processes on one Redis wait for one load per key.
    Fleet,
}

/// Whether and how long the memory tier keeps a site's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemoryUse {
    /// Not at all.
    Off,
    /// As long as they are fresh (and the cache's `max_age` allows).
    On,
    /// At most this long.
    AtMost(Duration),
}

impl From<bool> for MemoryUse {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

impl From<Duration> for MemoryUse {
    fn from(limit: Duration) -> Self {
        Self::AtMost(limit)
    }
}

/// The options of a site, as data. What is not set comes from the cache's defaults.
///
/// ```
/// use std::time::Duration;
/// use cache_runtime::{Policy, StampedeProtection};
///
/// let policy = Policy::new()
///     .ttl(Duration::from_secs(60))
///     .jitter(0.0)
///     .stampede_protection(StampedeProtection::Fleet);
/// # let _ = policy;
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "a policy does nothing until it is passed to a call or to the builder"]
pub struct Policy {
    ttl: Option<Duration>,
    jitter: Option<f64>,
    negative_ttl: Option<Duration>,
    stampede_protection: Option<StampedeProtection>,
    wait_timeout: Option<Duration>,
    version: Option<u32>,
    memory: Option<MemoryUse>,
    redis: Option<bool>,
    tags: Vec<String>,
    scope: Option<String>,
}

impl Policy {
    /// A policy in which everything is left to the cache's defaults.
    pub const fn new() -> Self {
        Self {
            ttl: None,
            jitter: None,
            negative_ttl: None,
            stampede_protection: None,
            wait_timeout: None,
            version: None,
            memory: None,
            redis: None,
            tags: Vec::new(),
            scope: None,
        }
    }

    /// Time fresh. Zero: do not store, and remove what is stored. Default: 10 minutes.
    pub const fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The share of the ttl that is taken off at random, so that values stored together do not expire together.
    ///
    /// From 0 to 1: as a cache's default anything else is an error of `build`, for one call it counts as the nearest.
    /// Default: 0.1.
    pub const fn jitter(mut self, share: f64) -> Self {
        self.jitter = Some(share);
        self
    }

    /// Caches a `None` this long. Without it a `None` is not cached.
    pub const fn negative_ttl(mut self, ttl: Duration) -> Self {
        self.negative_ttl = Some(ttl);
        self
    }

    /// Who waits for a load that is already running. Default: [`StampedeProtection::Process`].
    pub const fn stampede_protection(mut self, protection: StampedeProtection) -> Self {
        self.stampede_protection = Some(protection);
        self
    }

    /// How long a waiter waits before one shared load that is not stored. Default: 5 seconds.
    pub const fn wait_timeout(mut self, timeout: Duration) -> Self {
        self.wait_timeout = Some(timeout);
        self
    }

    /// Schema version of the value: a value of another version reads as a miss. Default: 0.
    pub const fn version(mut self, version: u32) -> Self {
        self.version = Some(version);
        self
    }

    /// Labels on the entry, by which it can be evicted together with others: [`Evict::tag`](crate::Evict::tag). At most 64. Each is its text, as there.
    ///
    /// For programmatic calls; as a cache's defaults they are an error of `build`.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// The owner of the entry: the key becomes [`Key::in_scope`](crate::Key::in_scope), and
    /// [`Evict::scope`](crate::Evict::scope) evicts all that an owner has. A scope with arguments that may contain special characters is given to the
    /// key itself, [`Key::in_scope_named`](crate::Key::in_scope_named).
    ///
    /// For programmatic calls; as a cache's default it is an error of `build`.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// Leaves the memory tier out (`false`) or caps its life (a `Duration`).
    pub fn l1(mut self, memory: impl Into<MemoryUse>) -> Self {
        self.memory = Some(memory.into());
        self
    }

    /// Leaves Redis out (`false`). A put still evicts there what it replaces, and in the memory of other processes.
    pub const fn l2(mut self, on: bool) -> Self {
        self.redis = Some(on);
        self
    }

    /// [`l1(false)`](Self::l1), in a constant.
    #[doc(hidden)]
    pub const fn without_l1(mut self) -> Self {
        self.memory = Some(MemoryUse::Off);
        self
    }

    /// [`l1(limit)`](Self::l1), in a constant.
    #[doc(hidden)]
    pub const fn l1_max_age(mut self, limit: Duration) -> Self {
        self.memory = Some(MemoryUse::AtMost(limit));
        self
    }

    /// [`l2(false)`](Self::l2), in a constant.
    #[doc(hidden)]
    pub const fn without_l2(self) -> Self {
        self.l2(false)
    }

    /// Why this makes no sense as the defaults of a cache; names the setting and its value.
    pub(crate) fn check(&self) -> Result<(), String> {
        if let Some(share) = self.jitter.filter(|share| !(0.0..=1.0).contains(share)) {
            return Err(format!(
                "`defaults.jitter` is {share}; it must be from 0 to 1"
            ));
        }
        if !self.tags.is_empty() || self.scope.is_some() {
            return Err(
                "`defaults.tags` or `defaults.scope` is set; both belong to single calls"
                    .to_owned(),
            );
        }
        let zero = |ttl: Option<Duration>| ttl.is_some_and(|ttl| ttl.is_zero());
        if zero(self.ttl) {
            return Err("`defaults.ttl` is 0: nothing would be stored; it must be more".to_owned());
        }
        if zero(self.negative_ttl) {
            return Err("`defaults.negative_ttl` is 0; leave it out, or make it more".to_owned());
        }
        Ok(())
    }

    /// This policy where it says something, `defaults` where it does not.
    pub(crate) fn over(&self, defaults: &Self) -> Self {
        Self {
            ttl: self.ttl.or(defaults.ttl),
            jitter: self.jitter.or(defaults.jitter),
            negative_ttl: self.negative_ttl.or(defaults.negative_ttl),
            stampede_protection: self.stampede_protection.or(defaults.stampede_protection),
            wait_timeout: self.wait_timeout.or(defaults.wait_timeout),
            version: self.version.or(defaults.version),
            memory: self.memory.or(defaults.memory),
            redis: self.redis.or(defaults.redis),
            tags: Vec::new(),
            scope: None,
        }
    }

    pub(crate) fn own_tags(&self) -> &[String] {
        &self.tags
    }

    pub(crate) fn own_scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// Whether a hit may come from memory; a hit asks before anything else is resolved.
    pub(crate) fn reads_memory_over(&self, defaults: &Self) -> bool {
        self.memory.or(defaults.memory) != Some(MemoryUse::Off)
    }

    /// The schema version; a hit asks before anything else is resolved.
    pub(crate) fn schema_over(&self, defaults: &Self) -> u32 {
        self.version.or(defaults.version).unwrap_or(0)
    }
}
