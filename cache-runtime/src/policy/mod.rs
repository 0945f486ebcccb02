//! What a site wants: how long values live, who waits for whom, which tiers take part.
//!
//! Pure data and arithmetic: no I/O and no clock of its own. A [`Policy`] says what was asked for; laid over
//! the cache's defaults it becomes [`Resolved`], which has an answer for everything.

mod freshness;
mod life;
mod own;
mod resolved;

pub(crate) use freshness::Freshness;
pub(crate) use life::{Life, Lifetimes};
pub(crate) use own::Own;
pub(crate) use resolved::Resolved;

use std::{sync::Arc, time::Duration};

use crate::entry::CacheValue;

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
    pub(crate) fresh: Freshness,
    /// What only programmatic calls have.
    own: Option<Arc<Own>>,
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
            fresh: Freshness::NONE,
            own: None,
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

    /// After this share of the life (0 to 1) the next hit refreshes the value in the background.
    ///
    /// Of the programmatic calls, whose loader lives as long as the call, the one whose turn it is refreshes in the foreground.
    pub const fn background_refresh(mut self, share: f64) -> Self {
        self.fresh.background_refresh = Some(share);
        self
    }

    /// Refreshes early at random, the likelier the nearer the end and the longer the load takes: if `-delta * beta * ln(u)` is at least what
    /// remains, with `delta` the time the stored load took and `u` uniform in (0, 1] (XFetch: Vattani, Chierichetti, Lowenstein, "Optimal probabilistic cache
    /// stampede prevention", VLDB 2015). A greater `beta` refreshes earlier; 1 is the paper's.
    pub const fn early_refresh(mut self, beta: f64) -> Self {
        self.fresh.early_refresh = Some(beta);
        self
    }

    /// For so long after the ttl the stale value is served at once and refreshed in the background.
    pub const fn stale_while_revalidate(mut self, window: Duration) -> Self {
        self.fresh.stale_while_revalidate = Some(window);
        self
    }

    /// For so long after the ttl the stale value is served if the load fails.
    pub const fn stale_if_error(mut self, window: Duration) -> Self {
        self.fresh.stale_if_error = Some(window);
        self
    }

    /// For so long after the ttl the value is kept, whatever this call itself would serve of it. Default: the longer of [`stale_while_revalidate`](Self::stale_while_revalidate)
    /// and [`stale_if_error`](Self::stale_if_error).
    ///
    /// For calls of one key that differ in what they accept: what one of them stores is then as good for the others as if they had stored it themselves.
    ///
    /// ```
    /// use std::time::Duration;
    /// use cache_runtime::{Cache, Policy, key};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// const HOUR: Duration = Duration::from_secs(3600);
    /// let cache = Cache::builder("rates").build()?;
    /// let strict = Policy::new().ttl(Duration::from_millis(1)).window(HOUR);
    /// let up = || async { Ok::<_, String>(108_u64) };
    /// assert_eq!(cache.try_get_or_load(&key!("eur"), &strict, up).await, Ok(108));
    /// tokio::time::sleep(Duration::from_millis(20)).await;
    /// let down = || async { Err::<u64, _>("down".to_owned()) };
    /// let lenient = strict.clone().stale_if_error(HOUR);
    /// assert_eq!(cache.try_get_or_load(&key!("eur"), &strict, down).await, Err("down".to_owned()));
    /// assert_eq!(cache.try_get_or_load(&key!("eur"), &lenient, down).await, Ok(108));
    /// # Ok::<(), cache_runtime::BuildError>(()) }).unwrap();
    /// ```
    pub const fn window(mut self, window: Duration) -> Self {
        self.fresh.window = Some(window);
        self
    }

    /// How long the fleet leaves an origin alone that has failed while there is a stale value to serve; refreshes that go on failing
    /// wait twice as long each time, at most a minute. Not jittered. Default: 1 second.
    pub const fn retry_after(mut self, pause: Duration) -> Self {
        self.fresh.retry_after = Some(pause);
        self
    }

    /// With a stale value at hand, waits this long for the load and then serves that value; the load goes on.
    pub const fn soft_timeout(mut self, timeout: Duration) -> Self {
        self.fresh.soft_timeout = Some(timeout);
        self
    }

    /// Waits at most this long for the load, which goes on; then the call gets a stale value where `stale_if_error` allows one, else an error.
    ///
    /// Only for annotated functions, which know how to make an error of a [`LoadTimeout`](crate::LoadTimeout).
    pub const fn hard_timeout(mut self, timeout: Duration) -> Self {
        self.fresh.hard_timeout = Some(timeout);
        self
    }

    /// Refreshes keys in use on a timer, in one process per period.
    ///
    /// For annotated functions, and for [`Cache::try_get_or_refresh`](crate::Cache::try_get_or_refresh).
    pub const fn refresh_every(mut self, period: Duration) -> Self {
        self.fresh.refresh_every = Some(period);
        self
    }

    /// A key that was not asked for this long is no longer refreshed on the timer. Default: ten periods.
    pub const fn idle(mut self, idle: Duration) -> Self {
        self.fresh.idle = Some(idle);
        self
    }

    /// The share of hits that are compared with the origin in the background, from 0 to 1. What differs is counted, logged without the
    /// value, and evicted.
    ///
    /// For annotated functions, and for [`Cache::try_get_or_refresh`](crate::Cache::try_get_or_refresh).
    pub const fn consistency_check(mut self, share: f64) -> Self {
        self.fresh.consistency_check = Some(share);
        self
    }

    /// Labels on the entry, by which it can be evicted together with others: [`Evict::tag`](crate::Evict::tag). At most 64. Each is its text, as there.
    ///
    /// For programmatic calls; as a cache's defaults they are an error of `build`.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        let tags = tags.into_iter().map(Into::into);
        self.own_mut().tags.extend(tags);
        self
    }

    /// The owner of the entry: the key becomes [`Key::in_scope`](crate::Key::in_scope), and
    /// [`Evict::scope`](crate::Evict::scope) evicts all that an owner has. A scope with arguments that may contain special characters is given to the
    /// key itself, [`Key::in_scope_named`](crate::Key::in_scope_named).
    ///
    /// For programmatic calls; as a cache's default it is an error of `build`.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.own_mut().scope = Some(scope.into());
        self
    }

    /// Each value's own ttl, in the place of [`ttl`](Self::ttl); zero: the value is returned and not stored, and what is stored is removed. For a `None`
    /// the answer is not used: [`negative_ttl`](Self::negative_ttl) decides.
    ///
    /// Asked once for each value that is loaded or put and that [`unless`](Self::unless) does not refuse. One function at a time: a later one takes the place of an
    /// earlier one, and one over another type than the call's value is not asked. A [`ttl`](Self::ttl) that is the upper bound saves a round trip to Redis.
    ///
    /// For programmatic calls; as a cache's defaults it is an error of `build`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use cache_runtime::{Cache, Policy, key};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// #[derive(Clone, serde::Serialize, serde::Deserialize)]
    /// struct Token { text: String, expires_in: u64 }
    ///
    /// let policy = Policy::new()
    ///     .ttl_from(|token: &Token| Duration::from_secs(token.expires_in))
    ///     .unless(|token: &Token| token.text.is_empty())
    ///     .site("token");
    /// let load = || async { Token { text: "abc".to_owned(), expires_in: 300 } };
    /// let cache = Cache::builder("tokens").build().unwrap();
    /// let token = cache.get_or_load(&key!("token"), &policy, load).await;
    /// assert_eq!(token.text, "abc");
    /// assert_eq!(cache.stats().sites["token"].loads, 1);
    /// # });
    /// ```
    pub fn ttl_from<T: CacheValue>(
        mut self,
        ttl_from: impl Fn(&T) -> Duration + Send + Sync + 'static,
    ) -> Self {
        self.own_mut().set_ttl_from(ttl_from);
        self
    }

    /// Labels that each value names, beside [`tags`](Self::tags): texts as [`Evict::tag`](crate::Evict::tag) takes them.
    ///
    /// While such a load runs, the eviction of any tag makes this process not store its value: nobody can know yet whether it is concerned. A tag that Redis does not
    /// know yet costs one load that is not stored. Who is asked, and when, as for [`ttl_from`](Self::ttl_from).
    pub fn tags_from<T: CacheValue>(
        mut self,
        tags_from: impl Fn(&T) -> Vec<String> + Send + Sync + 'static,
    ) -> Self {
        self.own_mut().set_tags_from(tags_from);
        self
    }

    /// True: the value is returned, to those as well who have waited for it, and not stored; what is stored stays. A [`put`](crate::Cache::put) of such a
    /// value evicts, and says so.
    ///
    /// Who is asked, as for [`ttl_from`](Self::ttl_from), and before the other two.
    pub fn unless<T: CacheValue>(
        mut self,
        unless: impl Fn(&T) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.own_mut().set_unless(unless);
        self
    }

    /// Counts the call under this name instead of `get_or_load`, `get_or_refresh` or `put`: in [`Cache::stats`](crate::Cache::stats), and where figures and
    /// spans name a site.
    ///
    /// A name stands for a place in the program, not for a key: of the first 256 names of a cache, of at most 128 bytes each, the figures are kept, and calls under others are
    /// counted as if they had none.
    ///
    /// For programmatic calls; as a cache's defaults it is an error of `build`.
    pub fn site(mut self, name: impl Into<String>) -> Self {
        self.own_mut().site = Some(name.into().into());
        self
    }

    fn own_mut(&mut self) -> &mut Own {
        Arc::make_mut(self.own.get_or_insert_default())
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
        if let Some(name) = self.own.as_ref().and_then(|own| own.first()) {
            return Err(format!(
                "`defaults.{name}` is set; it belongs to single calls"
            ));
        }
        if let Some(name) = self.fresh.outliving() {
            return Err(format!(
                "`defaults.{name}` is set; it needs a load that outlives its caller, so it belongs to the functions that have one"
            ));
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
            fresh: self.fresh.over(&defaults.fresh),
            own: None,
        }
    }

    /// The same, with what belongs to single calls, so that [`check`](Self::check) finds it.
    pub(crate) fn laid_over(self, defaults: &Self) -> Self {
        let over = self.over(defaults);
        Self {
            own: self.own,
            ..over
        }
    }

    pub(crate) fn own(&self) -> Option<&Arc<Own>> {
        self.own.as_ref()
    }

    /// The name that the call wants to be counted under.
    pub(crate) fn own_site(&self) -> Option<&str> {
        self.own.as_ref()?.site.as_deref()
    }

    pub(crate) fn own_tags(&self) -> &[String] {
        self.own.as_ref().map_or(&[], |own| &own.tags)
    }

    pub(crate) fn own_scope(&self) -> Option<&str> {
        self.own.as_ref()?.scope.as_deref()
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
