//! The handle of a cache, and the programmatic form of what the attributes do.

use std::{convert::Infallible, fmt, future::Future, sync::Arc, time::Duration};

use super::{
    CacheBuilder, builder, current, env,
    scope::{self, Mode},
};
use crate::{
    bus::Manner,
    engine::{
        Call, Core, Evict, EvictTask, Item, Known, Load, Loaded, Origin, Put, Refresh, Tags, Wish,
        known, refresh_here, run, run_owned, serve_hit, without_known,
    },
    entry::CacheValue,
    error::{BuildError, CacheError, ErrorKind, InstallError},
    key::{Key, UNSPECIFIED, fingerprint_all},
    observe::{Count, Counters, Served, Why},
    policy::{Policy, Resolved},
    site::{Hooks, Share},
    tags::Label,
    tiers::memory::Reader,
};

/// A cache: a cheap handle, to be cloned and shared.
///
/// ```
/// use cache_runtime::{Cache, Policy, key};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let cache = Cache::builder("shop").build()?;
/// let id = 7;
/// let name: String = cache
///     .get_or_load(&key!("name:{id}"), &Policy::new(), || async { "seven".to_owned() })
///     .await;
/// assert_eq!(name, "seven");
/// cache.evict(key!("name:{id}")).await?;
/// assert_eq!(cache.get::<String>(&key!("name:{id}")).await, None);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct Cache {
    core: Arc<Core>,
}

impl Cache {
    /// Begins a cache; `name` is the prefix of its keys in Redis and its label everywhere.
    pub fn builder(name: impl Into<String>) -> CacheBuilder {
        builder::CacheBuilder::new(name.into())
    }

    /// A builder filled from `CACHE_NAME`, `CACHE_TTL`, `CACHE_JITTER`, `CACHE_MAX_ENTRIES` and `REDIS_URL`.
    ///
    /// # Errors
    ///
    /// If a variable's value cannot be read; the error names the variable.
    pub fn from_env() -> Result<CacheBuilder, BuildError> {
        env::builder()
    }

    /// The cache annotated functions use here: the task's ([`as_current`](Self::as_current)), else the
    /// installed one, else one in memory named `cache`.
    #[must_use]
    pub fn current() -> Self {
        (*current::current()).clone()
    }

    /// Makes this the process's default for annotated functions.
    ///
    /// # Errors
    ///
    /// If one is installed already.
    pub fn install(&self) -> Result<(), InstallError> {
        current::install(self)?;
        if !self.core.tier.is_present() {
            // Of one with Redis it is said when that is connected.
            self.core.report_connection();
        }
        Ok(())
    }

    /// Runs a future with this cache as the current one: for tests, and for services with a cache per tenant.
    ///
    /// Loads and tasks the cache starts keep it; tasks the future spawns do not.
    pub fn as_current<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        scope::with_cache(self.clone(), future)
    }

    /// The name it was built with.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.core.settings.name
    }

    /// The fresh value under a key, from either tier. Never loads; Redis trouble reads as nothing.
    ///
    /// Safe to drop at any time.
    pub async fn get<T: CacheValue>(&self, key: &Key) -> Option<T> {
        let mut call = self.asking::<T>(key.clone(), &Policy::new())?;
        call.reader.schema = None;
        call.stored().await?.downcast_ref::<T>().cloned()
    }

    /// [`get`](Self::get) under a policy: the value has its scope, version and tags, and is counted under its [`site`](Policy::site). For layers on
    /// top, where they serve what is there and load nothing.
    pub async fn get_with<T: CacheValue>(&self, key: &Key, policy: &Policy) -> Option<T> {
        let call = self.asking::<T>(in_scope_of(key, policy), policy)?;
        call.stored().await?.downcast_ref::<T>().cloned()
    }

    /// A call that only looks.
    fn asking<T: CacheValue>(&self, key: Key, policy: &Policy) -> Option<Call> {
        let usable = self.is_usable(&key);
        usable.then(|| self.call::<T>(key, policy, self.site_of(policy, "get")))
    }

    /// The value under a key; if there is none, loads it, once for all who ask, and stores it.
    ///
    /// Dropping the future hands the load over to another caller who waits for it.
    pub async fn get_or_load<T, F, Fut>(&self, key: &Key, policy: &Policy, load: F) -> T
    where
        T: CacheValue,
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let load = async move || Ok::<T, Infallible>(load().await);
        match self.try_get_or_load(key, policy, load).await {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }

    /// The value under a key; if there is none, loads it, once for all who ask, and stores it. Errors are not stored.
    ///
    /// When the load fails its waiters run theirs, a few at a time, because an `E` in general cannot be shared.
    ///
    /// # Errors
    ///
    /// Those of `load`.
    pub async fn try_get_or_load<T, E, F, Fut>(
        &self,
        key: &Key,
        policy: &Policy,
        load: F,
    ) -> Result<T, E>
    where
        T: CacheValue,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let mode = scope::mode();
        let key = in_scope_of(key, policy);
        let site = self.site_of(policy, "get_or_load");
        if let Some(why) = self.bypassed(mode, &key, &site) {
            let result = scope::in_load(without_known(load())).await;
            scope::report(Served::Bypassed(why));
            return result;
        }
        let mut call = self.call::<T>(key, policy, site);
        call.refresh = mode == Mode::Refresh;
        let with = Loaded {
            hooks: Hooks::none(),
            share: Share::Not,
        };
        let load = Box::pin(async move { load().await });
        let Some((value, claim)) = call.hit::<T>() else {
            return run(Box::new(call), with, load).await;
        };
        call.served = Served::Memory;
        call.finished();
        match claim {
            Some(claim) => {
                let in_hand = claim.in_hand(&call);
                Ok(refresh_here(&call, in_hand, Some(claim), value, with, load).await)
            }
            None => Ok(value),
        }
    }

    /// [`try_get_or_load`](Self::try_get_or_load) with a load that can be run again, whoever still waits, and that is told of the value it is to replace.
    ///
    /// All that a policy says of refreshing, stale values and timeouts holds as it does for an annotated function; a `hard_timeout` only where there is a stale value to
    /// serve, because an `E` in general cannot be made of a timeout.
    ///
    /// ```
    /// use std::time::Duration;
    /// use cache_runtime::{Cache, Known, Policy, Refresh, key};
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let policy = Policy::new().ttl(Duration::from_secs(60)).background_refresh(0.8);
    /// let load = |known: Option<Known<String>>| async move {
    ///     match known {
    ///         Some(known) if known.age() < Duration::from_secs(3600) => Ok(Refresh::NotModified),
    ///         _ => Ok::<_, std::io::Error>(Refresh::Value("1.08".to_owned())),
    ///     }
    /// };
    /// let rate = Cache::current().try_get_or_refresh(&key!("rate"), &policy, load).await;
    /// assert_eq!(rate.unwrap(), "1.08");
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `load`.
    ///
    /// # Panics
    ///
    /// If `load` says that nothing is modified where it was told of nothing.
    pub async fn try_get_or_refresh<T, E, F, Fut>(
        &self,
        key: &Key,
        policy: &Policy,
        load: F,
    ) -> Result<T, E>
    where
        T: CacheValue,
        E: Send + 'static,
        F: Fn(Option<Known<T>>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Refresh<T>, E>> + Send + 'static,
    {
        let mode = scope::mode();
        let key = in_scope_of(key, policy);
        let load = Arc::new(load);
        let origin = Origin {
            run: Arc::new(move || -> Load<T, E> {
                let load = Arc::clone(&load);
                // What is known is known to the load that runs, not to who makes it.
                Box::pin(async move {
                    let known = known::<T>();
                    let answer = load(known.clone()).await?;
                    Ok(match answer {
                        Refresh::Value(value) => value,
                        Refresh::NotModified => known
                            .expect("a load was told of no value and said that it is not modified")
                            .not_modified(),
                    })
                })
            }),
            with: Loaded {
                hooks: Hooks::none(),
                share: Share::Not,
            },
            timeout: None,
        };
        let site = self.site_of(policy, "get_or_refresh");
        if let Some(why) = self.bypassed(mode, &key, &site) {
            let result = scope::in_load(without_known((origin.run)())).await;
            scope::report(Served::Bypassed(why));
            return result;
        }
        let mut call = self.call::<T>(key, policy, site);
        call.refresh = mode == Mode::Refresh;
        match serve_hit::<T, E>(&mut call, &origin) {
            Some(value) => Ok(value),
            // Boxed, as for an annotated function: a hit does not pay for what a load needs.
            None => Box::pin(run_owned(call, origin)).await,
        }
    }

    /// Stores a value in both tiers. With [`Policy::l2(false)`](Policy::l2), in memory; Redis and other processes lose what they had under the key.
    ///
    /// It fences what happens after the call. Where two writers can meet, evict instead or use `#[cache_put]`, whose
    /// lease spans the write to the origin. Dropping the future evicts the key.
    ///
    /// # Errors
    ///
    /// If the value was not stored; what was stored under the key before is evicted then.
    pub async fn put<T: CacheValue>(
        &self,
        key: &Key,
        value: T,
        policy: &Policy,
    ) -> Result<(), CacheError> {
        let key = in_scope_of(key, policy);
        if let Err(why) = key.usable() {
            return Err(CacheError::new(ErrorKind::Key, why.to_string()));
        }
        if !self.is_usable(&key) {
            return Err(CacheError::new(
                ErrorKind::Key,
                "the key is longer than `max_key_bytes`",
            ));
        }
        let counters = self.site_of(policy, "put");
        let tags = tags_of::<T>(policy);
        let reader = self.reader::<T>(&key, policy, &tags);
        let resolved = Resolved::new(policy, &self.core.settings.defaults);
        let core = Arc::clone(&self.core);
        let put = Put::begin(core, key, reader, resolved, counters, tags).await;
        // What is asked here may panic, which evicts.
        let wish = match policy.own() {
            Some(own) => Wish::of(own, &value, Duration::ZERO),
            None => Wish::default(),
        };
        put.finish(Arc::new(value), wish).await
    }

    /// Evicts keys, patterns, tags, regions, scopes or everything: in Redis, in this process, and in the memory of the others.
    ///
    /// One round trip for all of it, beside the scans of patterns that need one. Once polled it runs to its end, whether or not its caller still waits.
    ///
    /// # Errors
    ///
    /// If Redis did not confirm it: it is then queued, replayed before this process reads what it concerns, and
    /// already done in this process's memory. If a hold was asked for what cannot be held, nothing is evicted.
    #[doc(alias = "invalidate")]
    pub async fn evict(&self, what: impl Into<Evict>) -> Result<(), CacheError> {
        self.remove(what.into(), Manner::Evict, "evict").await
    }

    /// Marks what is selected as past its ttl, instead of removing it: the next read loads it anew, and where stale values are allowed
    /// they may still be served.
    ///
    /// Once polled it runs to its end, whether or not its caller still waits.
    ///
    /// # Errors
    ///
    /// As [`evict`](Self::evict).
    pub async fn expire(&self, what: impl Into<Evict>) -> Result<(), CacheError> {
        self.remove(what.into(), Manner::Expire, "expire").await
    }

    async fn remove(&self, what: Evict, manner: Manner, site: &str) -> Result<(), CacheError> {
        what.check()?;
        let counters = self.counters(site);
        let items = what.items.into_iter().map(|item| Item { manner, ..item });
        EvictTask::new(&self.core, items.collect())
            .asked_for(counters)
            .run_detached()
            .await
    }

    pub(super) fn from_core(core: Arc<Core>) -> Self {
        Self { core }
    }

    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    fn counters(&self, site: &str) -> Arc<Counters> {
        self.core.sites.counters(site)
    }

    /// Where a call is counted: under its policy's name for it, or else this one.
    pub(super) fn site_of(&self, policy: &Policy, otherwise: &str) -> Arc<Counters> {
        let named = policy.own_site();
        let named = named.and_then(|name| self.core.sites.named(name));
        named.unwrap_or_else(|| self.counters(otherwise))
    }

    /// Why a call takes no part, counted.
    fn bypassed(&self, mode: Mode, key: &Key, site: &Counters) -> Option<Why> {
        let why = match mode {
            Mode::Bypass => Why::Asked,
            _ if !self.is_usable(key) => Why::Key,
            _ => return None,
        };
        site.add(Count::Bypassed);
        Some(why)
    }

    pub(super) fn is_usable(&self, key: &Key) -> bool {
        key.usable().is_ok() && key.logical().len() <= self.core.settings.max_key_bytes
    }

    fn reader<T: CacheValue>(&self, key: &Key, policy: &Policy, tags: &Tags) -> Reader {
        let texts: Vec<_> = tags.known.iter().map(Label::as_str).collect();
        let schema = policy.schema_over(&self.core.settings.defaults);
        Reader {
            template: key.template(),
            tags: fingerprint_all(UNSPECIFIED, &texts),
            schema: Some(schema),
            ..Reader::of::<T>()
        }
    }

    fn call<T: CacheValue>(&self, key: Key, policy: &Policy, site: Arc<Counters>) -> Call {
        let tags = tags_of::<T>(policy);
        let reader = self.reader::<T>(&key, policy, &tags);
        let resolved = Resolved::new(policy, &self.core.settings.defaults);
        let core = Arc::clone(&self.core);
        let mut call = Call::new(core, key, reader, resolved, site, false, tags);
        call.own = policy.own().cloned();
        call
    }
}

fn in_scope_of(key: &Key, policy: &Policy) -> Key {
    match policy.own_scope() {
        Some(scope) => key.clone().in_scope(scope),
        None => key.clone(),
    }
}

fn tags_of<T: CacheValue>(policy: &Policy) -> Tags {
    let mut known: Vec<_> = policy
        .own_tags()
        .iter()
        .map(|tag| Label::tag(&Key::new(tag)))
        .collect();
    known.sort_unstable();
    known.dedup();
    Tags {
        known,
        late: policy.own().is_some_and(|own| own.names_tags_of::<T>()),
        ..Tags::default()
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("name", &self.name())
            .field("entries_in_memory", &self.core.memory.len())
            .field("health", &self.health())
            .finish_non_exhaustive()
    }
}
