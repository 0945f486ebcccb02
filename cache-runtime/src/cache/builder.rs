//! From settings to a cache.

use std::{
    fmt,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use super::{Background, Cache, Sites};
use crate::{
    bus::Coherence,
    engine::{
        Core, Ear, Failures, Holds, Journal, Lately, Leases, Settings, Timers, Wakes, Workers,
    },
    error::BuildError,
    flight::{Flights, Retries},
    key::KeySecret,
    policy::Policy,
    ports::Clock,
    tags::Cells,
    tiers::{
        Commands, Moment, NoTier, Tier,
        memory::{Memory, MemoryTier},
    },
};

/// What a cache is built from; see [`Cache::builder`].
#[must_use = "nothing is built until `build` is called"]
pub struct CacheBuilder {
    name: String,
    memory: Memory,
    redis: Option<RedisUrl>,
    defaults: Policy,
    key_secret: Option<Vec<u8>>,
    redis_budget: Duration,
    evict_deadline: Duration,
    max_in_flight: usize,
    max_value_bytes: usize,
    max_key_bytes: usize,
    show_keys: bool,
    clock: Clock,
    tier: Option<Arc<dyn Tier>>,
    #[cfg(feature = "test-util")]
    hosts: Option<crate::testing::Hosts>,
}

/// What a cache may be called: what needs no escape in a key and means nothing to a pattern.
pub(super) const A_NAME: &str = "letters, digits, `_`, `.` and `-`, at least one";

/// Whether a cache may have this name.
pub(super) fn is_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    !name.is_empty() && name.chars().all(legal)
}

/// The tier of a fleet, and the same once more where it is a Redis.
type SharedTier = (Arc<dyn Tier>, Option<Arc<dyn Commands>>);

/// A URL and where it came from, for the error that names it.
struct RedisUrl {
    source: &'static str,
    #[cfg_attr(
        not(feature = "redis"),
        expect(dead_code, reason = "only named in an error then")
    )]
    url: String,
}

impl CacheBuilder {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            memory: Memory::new(),
            redis: None,
            defaults: Policy::new(),
            key_secret: None,
            redis_budget: Duration::from_millis(100),
            evict_deadline: Duration::from_secs(1),
            max_in_flight: 1_024,
            max_value_bytes: 1 << 20,
            max_key_bytes: 64 << 10,
            show_keys: false,
            clock: Clock::default(),
            tier: None,
            #[cfg(feature = "test-util")]
            hosts: None,
        }
    }

    /// The bounds of the memory tier. What they do not say stays as it was: from an earlier call, from
    /// [`Cache::from_env`], or as in [`Memory::new`].
    pub fn memory(mut self, memory: Memory) -> Self {
        self.memory = memory.over(&self.memory);
        self
    }

    /// No memory tier.
    pub fn no_memory(mut self) -> Self {
        self.memory = Memory::off();
        self
    }

    /// A Redis or Valkey shared with the other processes of the fleet: `redis://user:password@host:port/db`,
    /// `rediss://…` (feature `tls`) or `redis+unix:///path`.
    ///
    /// Behind Sentinels, `redis-sentinel://user:password@host:port,host:port/NAME/db`: hosts and ports (26379 where none is said) are those of the
    /// Sentinels, `NAME` is what they call the primary, the account is that of the Redis servers. Sentinels that want an account of
    /// their own get it as `?sentinel_username=…&sentinel_password=…`, the name only where there is one. `rediss-sentinel://…` (feature `tls`) speaks TLS with
    /// Sentinels and servers. Name all Sentinels: it is the majority of those named here that is believed. A primary that they replace is
    /// left within about a second, also one that still answers.
    ///
    /// On a cluster, `redis-cluster://user:password@host:port,host:port`: some of its nodes, of which one has to answer; the others are found. `rediss-cluster://…` (feature
    /// `tls`) reaches nodes by the names they announce, if any.
    ///
    /// In all of them `%XX` stands for what means something in a URL: `%40` for an `@` in a password.
    ///
    /// Nothing is connected here: an unreachable Redis is reported by [`Cache::health`] and delays nobody.
    pub fn redis(self, url: impl Into<String>) -> Self {
        self.redis_from("redis", url.into())
    }

    /// Another store in the place of Redis, made for a cache of this name and for this one alone; see [`tier`](crate::tier).
    pub fn tier(mut self, tier: Arc<dyn Tier>) -> Self {
        self.tier = Some(tier);
        self
    }

    pub(super) fn redis_from(mut self, source: &'static str, url: String) -> Self {
        self.redis = Some(RedisUrl { source, url });
        self
    }

    /// What sites that do not say otherwise do. What it does not say stays as it was: from an earlier call or from
    /// [`Cache::from_env`].
    pub fn defaults(mut self, defaults: Policy) -> Self {
        self.defaults = defaults.laid_over(&self.defaults);
        self
    }

    /// What `secret(…)` arguments are digested with: at least 16 bytes, the same in the whole fleet.
    ///
    /// Without it a memory-only cache makes one up; with Redis, calls with `secret` arguments bypass the cache.
    pub fn key_secret(mut self, secret: impl Into<Vec<u8>>) -> Self {
        self.key_secret = Some(secret.into());
        self
    }

    /// How long all Redis commands of one annotated call together may take. Default: 100 ms.
    pub fn redis_budget(mut self, budget: Duration) -> Self {
        self.redis_budget = budget;
        self
    }

    /// How long one eviction, or one batch of a scan, may take. Default: 1 s.
    pub fn evict_deadline(mut self, deadline: Duration) -> Self {
        self.evict_deadline = deadline;
        self
    }

    /// The most Redis operations in flight; beyond it reads and stores do without Redis. Default: 1,024.
    pub fn max_in_flight(mut self, operations: usize) -> Self {
        self.max_in_flight = operations;
        self
    }

    /// The largest encoded value that is stored; larger ones are returned and counted. Default: 1 MiB.
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.max_value_bytes = bytes;
        self
    }

    /// The longest key; calls with a longer one bypass the cache. Default: 64 KiB.
    ///
    /// Keys beyond 512 bytes are stored under a digest, so this bounds the work, not the size in Redis.
    pub fn max_key_bytes(mut self, bytes: usize) -> Self {
        self.max_key_bytes = bytes;
        self
    }

    /// Names keys, tags and scopes in spans. Default: `false`, because they are made of arguments: spans name the region of a key, which is of the program's own
    /// text. What a `secret(…)` argument has become is a digest either way.
    pub fn show_keys(mut self, show: bool) -> Self {
        self.show_keys = show;
        self
    }

    /// Runs the memory tier's deadlines on a clock that a test moves.
    #[cfg(feature = "test-util")]
    pub fn manual_clock(mut self, clock: crate::testing::ManualClock) -> Self {
        self.clock = Clock::Manual(clock);
        self
    }

    /// Runs the memory tier's deadlines on tokio's clock, which a test may pause.
    #[cfg(feature = "test-util")]
    pub fn tokio_clock(mut self) -> Self {
        self.clock = Clock::Tokio(tokio::time::Instant::now());
        self
    }

    /// Resolves host names of Redis servers and Sentinels in the place of the system.
    #[cfg(feature = "test-util")]
    pub fn hosts(mut self, hosts: crate::testing::Hosts) -> Self {
        self.hosts = Some(hosts);
        self
    }

    /// Puts a model in the place of Redis.
    #[cfg(feature = "test-util")]
    pub fn model_redis(self, model: &crate::testing::ModelRedis) -> Self {
        self.tier(model.tier())
    }

    /// Builds the cache. Touches no network.
    ///
    /// # Errors
    ///
    /// If a setting makes no sense; the error names it and its value.
    pub fn build(self) -> Result<Cache, BuildError> {
        self.check()?;
        let (tier, commands) = self.shared_tier()?;
        let secret = match &self.key_secret {
            Some(bytes) => Some(KeySecret::new(bytes)),
            None if tier.is_present() => None,
            None => Some(KeySecret::new(&random_secret())),
        };
        let grace = self.memory.grace();
        let memory = Arc::new(MemoryTier::new(self.memory));
        let cells = Arc::new(Cells::default());
        let coherence = Arc::new(Coherence::new(tier.is_present(), grace));
        let core = Arc::new(Core {
            settings: Settings {
                name: self.name,
                defaults: self.defaults,
                redis_budget: self.redis_budget,
                evict_deadline: self.evict_deadline,
                max_value_bytes: self.max_value_bytes,
                max_key_bytes: self.max_key_bytes,
                show_keys: self.show_keys,
            },
            clock: self.clock,
            flights: Arc::new(Flights::new(
                Arc::clone(&memory),
                Arc::clone(&cells),
                Arc::clone(&coherence),
            )),
            cells,
            coherence,
            wakes: Wakes::default(),
            memory,
            retries: Arc::new(Retries::default()),
            tier,
            commands,
            holds: Holds::default(),
            journal: Journal::default(),
            lately: Lately::default(),
            leases: Leases::default(),
            failures: Failures::default(),
            workers: Workers::default(),
            timers: Timers::default(),
            sites: Sites::default(),
            secret,
            background: Background::default(),
            closed: AtomicBool::new(false),
            started: Moment::now(),
            logged: Mutex::default(),
            #[cfg(feature = "metrics")]
            published: std::sync::Mutex::default(),
        });
        core.tier.listen(Arc::new(Ear::of(&core)));
        let owner = Arc::downgrade(&core);
        core.tier.on_reconnect(Arc::new(move || {
            let Some(core) = owner.upgrade() else { return };
            if core.journal.len() > 0 {
                core.background.nudge(&core);
            }
            core.report_connection();
        }));
        let owner = Arc::downgrade(&core);
        let may_move = core.tier.on_move(Arc::new(move || {
            if let Some(core) = owner.upgrade() {
                core.goes_elsewhere();
            }
        }));
        if may_move {
            core.lately.want();
        }
        Ok(Cache::from_core(core))
    }

    fn check(&self) -> Result<(), BuildError> {
        if !is_name(&self.name) {
            return Err(BuildError(format!(
                "the cache's name is `{}`; it must be {A_NAME}",
                self.name
            )));
        }
        let positive = |setting: &str, value: u128| {
            if value > 0 {
                return Ok(());
            }
            Err(BuildError(format!("`{setting}` is 0; it must be more")))
        };
        positive("memory.max_entries", self.memory.entries() as u128)?;
        positive(
            "memory.max_bytes",
            u128::from(self.memory.bytes().unwrap_or(1)),
        )?;
        positive("memory.max_age", self.memory.age(false).as_nanos())?;
        positive(
            "memory.max_age_without_bus",
            self.memory.age(true).as_nanos(),
        )?;
        positive("redis_budget", self.redis_budget.as_nanos())?;
        positive("evict_deadline", self.evict_deadline.as_nanos())?;
        positive("max_in_flight", self.max_in_flight as u128)?;
        positive("max_value_bytes", self.max_value_bytes as u128)?;
        positive("max_key_bytes", self.max_key_bytes as u128)?;
        self.defaults.check().map_err(BuildError)?;
        match &self.key_secret {
            Some(secret) if secret.len() < 16 => Err(BuildError(format!(
                "`key_secret` has {} bytes; it must have at least 16",
                secret.len()
            ))),
            _ => Ok(()),
        }
    }

    fn shared_tier(&self) -> Result<SharedTier, BuildError> {
        match (&self.tier, &self.redis) {
            (Some(_), Some(RedisUrl { source, .. })) => Err(BuildError(format!(
                "`{source}` and `tier` are both set; a cache has one shared tier: leave one of them out"
            ))),
            (Some(tier), None) => Ok((Arc::clone(tier), None)),
            (None, _) => self.redis_tier(),
        }
    }

    #[cfg(feature = "redis")]
    fn redis_tier(&self) -> Result<SharedTier, BuildError> {
        let Some(RedisUrl { source, url }) = &self.redis else {
            return Ok((Arc::new(NoTier), None));
        };
        let endpoint = crate::tiers::redis::parse(url).map_err(|why| {
            BuildError(format!("`{source}` is `{}`: {why}", without_account(url)))
        })?;
        #[cfg(feature = "test-util")]
        let endpoint = endpoint.with_hosts(self.hosts.clone());
        let limits = crate::tiers::redis::Limits {
            max_in_flight: self.max_in_flight,
            patience: self.redis_budget,
            max_value_bytes: self.max_value_bytes,
        };
        let redis = crate::tiers::redis::RedisTier::new(&self.name, endpoint, limits);
        let redis = Arc::new(redis);
        Ok((Arc::clone(&redis) as Arc<dyn Tier>, Some(redis)))
    }

    #[cfg(not(feature = "redis"))]
    fn redis_tier(&self) -> Result<SharedTier, BuildError> {
        match &self.redis {
            None => Ok((Arc::new(NoTier), None)),
            Some(RedisUrl { source, .. }) => Err(BuildError(format!(
                "`{source}` is set, but cache-runtime was built without its feature `redis`"
            ))),
        }
    }
}

/// A URL that may be shown: what stands where an account can stand is left out, and so are parameters.
#[cfg(feature = "redis")]
fn without_account(url: &str) -> String {
    let (scheme, rest) = match url.find("://") {
        Some(at) => url.split_at(at + 3),
        None => ("", url),
    };
    let is_of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if !scheme.trim_end_matches("://").chars().all(is_of_scheme) {
        return "…".to_owned();
    }
    let (before, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (account, address) = before
        .rfind('@')
        .map_or(("", before), |at| ("…", &before[at..]));
    // An unescaped `?` or `@` of a password, an account whose `@` was forgotten, parameters without their `?`: what is what cannot be told.
    let has_parameters = before.contains('&') && before.contains('=');
    if has_parameters || parameters.contains('@') || !address.split(['/', ',']).all(is_address) {
        return format!("{scheme}…");
    }
    format!("{scheme}{account}{address}")
}

/// Whether this has no sign of parameters, and what follows a colon, if there is one, can only be a port or a part of an IPv6 address.
#[cfg(feature = "redis")]
fn is_address(text: &str) -> bool {
    if text.contains(['=', '&']) {
        return false;
    }
    let of_numbers = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | ']');
    match text.split_once(':') {
        Some((host, rest)) if host.starts_with('[') => rest.chars().all(of_numbers),
        Some((_, port)) => port.chars().all(|c| c.is_ascii_digit()),
        None => true,
    }
}

/// Arguments digested with it mean nothing outside this process.
fn random_secret() -> Vec<u8> {
    use std::hash::{BuildHasher, RandomState};
    // Each `RandomState` is keyed by the operating system's random numbers.
    (0..4u8)
        .flat_map(|part| RandomState::new().hash_one(part).to_be_bytes())
        .collect()
}

impl fmt::Debug for CacheBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheBuilder")
            .field("name", &self.name)
            .field("memory", &self.memory)
            .field("redis", &self.redis.is_some())
            .field("defaults", &self.defaults)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, feature = "redis"))]
mod tests {
    use super::without_account;
    use crate::Cache;

    #[test]
    fn a_bad_url_is_named_and_its_password_is_not() {
        let shown = |url: &str| {
            let error = Cache::builder("shop")
                .redis(url)
                .build()
                .expect_err("a bad URL");
            error.to_string()
        };
        assert!(shown("localhost:6379").contains("`redis` is `localhost:6379`"));
        for url in [
            "redis://user:hunter2@host:99999",
            "redis://:hunter2@a@b/x",
            "redis://:hunter2",
            "redis://user:hunter2",
            "redis-sentinel://user:hunter2,other:1/shop",
            "redis://[user:hunter2]/x?",
            "redis-sentinel://:pass@host&sentinel_password=hunter2",
            "redis-sentinel://host/shop&sentinel_password=hunter2:",
            "host?pass=hunter2://",
            "me:hunter2://host",
            "redis-sentinel://:pass@host/shop&sentinel_password=x@hunter2",
            ":hunter2",
            "hunter2@host",
            "redis://:hun/ter2#@host/x",
            "redis://user:hun?ter2@host",
            "unix://path?pass=hunter2",
            "redis-sentinel://host?sentinel_password=hunter2",
            "redis-sentinel://host/shop?sentinel_password=hunter@hunter",
            "redis-sentinel://:pass@host/?sentinel_password=hunter2",
        ] {
            assert!(!shown(url).contains("hun"), "{}", shown(url));
        }
        assert_eq!(without_account("redis://u:p@h:1/2"), "redis://…@h:1/2");
        assert_eq!(
            without_account("redis://a:1,[::1]:2/3"),
            "redis://a:1,[::1]:2/3"
        );
    }
}
