//! `#[cacheable]`: look up, and on a miss fill.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use super::{
    hit::{Hit, digested, in_memory},
    owned::Outlives,
    shape::{Plain, Res, Shape},
    tags::TagBuf,
    timeout::{FromTimeout, OnTimeout, Times},
};
use crate::{
    cache::{
        Bound, BoundRef, CacheRef, bound,
        scope::{self, Mode},
    },
    engine::{self, Core, Load, Loaded, Origin, Tags, Told},
    entry::{CacheValue, Keep},
    error::LoadTimeout,
    key::{Key, KeyBuf, Lines, Unrenderable},
    observe::{Count, Counters, Hook, Served, Why},
    policy::{Policy, Resolved},
    site::{self, Hooks, Share, Site},
    tags::Label,
    tiers::memory::{Due, Reader, Remembered},
};

/// One call of an annotated function.
#[derive(Debug)]
pub struct Call<'a> {
    pub(super) site: &'static Site,
    pub(super) cache: CacheRef<'a>,
    pub(super) instance: &'static str,
    pub(super) hooks: CallHooks,
}

/// Who is told how calls were answered.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CallHooks {
    pub(super) hit: Option<Hook>,
    pub(super) miss: Option<Hook>,
}

impl<'a> Call<'a> {
    /// A call of `site`, instantiated as `instance`, through `cache`.
    #[must_use]
    #[inline]
    pub fn new(site: &'static Site, cache: CacheRef<'a>, instance: &'static str) -> Self {
        Self {
            site,
            cache,
            instance,
            hooks: CallHooks::default(),
        }
    }

    /// Tells of calls that were answered from a tier, or with a stale value.
    #[must_use]
    pub fn on_hit(mut self, hook: Hook) -> Self {
        self.hooks.hit = Some(hook);
        self
    }

    /// Tells of calls that were answered by a load, their own or another's.
    #[must_use]
    pub fn on_miss(mut self, hook: Hook) -> Self {
        self.hooks.miss = Some(hook);
        self
    }

    /// What the site is in this cache.
    #[inline]
    pub(super) fn bound<V: CacheValue, K: Keep<V>>(&self) -> BoundRef<'_> {
        let core = self.cache.core();
        let make = || self.bind::<V, K>();
        self.site.bound.of(core, self.instance, make)
    }

    #[cold]
    fn bind<V: CacheValue, K: Keep<V>>(&self) -> Bound {
        let core = self.cache.core();
        let (policy, defaults) = (self.site.literal_policy(), &core.settings.defaults);
        let reader = Reader {
            template: self.site.template,
            instance: site::fingerprint(self.instance),
            tags: self.site.tags,
            late_tags: self.site.late_tags,
            schema: Some(policy.schema_over(defaults)),
            ..Reader::keeping::<V, K>()
        };
        Bound {
            fingerprint: reader.fingerprint(),
            reader,
            counters: core.sites.counters(&site::counters_name(self.instance)),
            reads_memory: policy.reads_memory_over(defaults),
            clones_at_once: bound::clones_at_once::<V>(),
        }
    }

    /// What the function reads, whatever its arguments.
    pub(super) fn reader<V: CacheValue, K: Keep<V>>(&self, bound: &Bound) -> Reader {
        // Two types of one name are one instantiation by its text.
        let of = Reader::keeping::<V, K>();
        Reader {
            ty: of.ty,
            keeping: of.keeping,
            ..bound.reader
        }
    }

    /// Who is told how the call was answered.
    pub(super) fn told(&self, key: &str) -> Option<Box<Told>> {
        let CallHooks { hit, miss } = self.hooks;
        (hit.is_some() || miss.is_some()).then(|| {
            Box::new(Told {
                hit,
                miss,
                site: self.site.name.into(),
                key: key.into(),
            })
        })
    }

    #[inline]
    pub(super) fn buffer(&self) -> KeyBuf<'_> {
        let core = self.cache.core();
        KeyBuf::new(core.settings.max_key_bytes, core.secret.as_ref())
    }
}

/// A shape whose values can be cached.
#[derive(Clone, Copy, Debug)]
pub struct Ready<S>(pub(super) S);

/// The answer of a lookup.
#[derive(Debug)]
pub enum Found<V> {
    /// A fresh value from memory.
    Hit(V),
    /// Anything else.
    Miss(Miss),
}

/// A call that goes on; boxed, so that a hit's future stays small.
pub struct Miss(Box<Missed>);

enum Missed {
    Bypass(Why, Arc<Counters>),
    Fill(Fill),
    /// A hit that calls for something.
    Due(Fill, Remembered, Due),
}

#[derive(Clone)]
struct Fill {
    core: Arc<Core>,
    key: Key,
    reader: Reader,
    counters: Arc<Counters>,
    refresh: bool,
    tags: Tags,
    told: Option<Box<Told>>,
}

impl Miss {
    /// One tag of the entry; holes are filled with parts of the value.
    ///
    /// A tag that has no text could not be evicted: the call then bypasses the cache.
    pub fn tag(&mut self, render: impl FnOnce(&mut KeyBuf<'_>)) {
        let (Missed::Fill(fill) | Missed::Due(fill, ..)) = &mut *self.0 else {
            return;
        };
        if let Err(why) = fill.tags.add(&fill.core, render) {
            tracing::debug!(%why, "a tag cannot be rendered; the call bypasses the cache");
            *self.0 = Missed::Bypass(Why::Key, Arc::clone(&fill.counters));
        }
    }
}

impl fmt::Debug for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Miss").finish_non_exhaustive()
    }
}

/// `tags` renders those that the key does not tell.
#[inline]
fn lookup<V: CacheValue, K: Keep<V>>(
    call: &Call<'_>,
    condition: bool,
    render: impl FnOnce(&mut KeyBuf<'_>),
    tags: Option<impl FnOnce(&mut TagBuf)>,
) -> Found<V> {
    let bound = &*call.bound::<V, K>();
    let mode = scope::mode();
    if !condition || mode == Mode::Bypass {
        let why = if condition {
            Why::Asked
        } else {
            Why::Condition
        };
        return bypass(bound, why);
    }
    let mut buffer = call.buffer();
    render(&mut buffer);
    let tags = tags.map(|tags| rendered(call, tags));
    if let Some(why) = tags.as_ref().and_then(TagBuf::failure) {
        tracing::debug!(site = call.site.name, %why, "a tag cannot be rendered; the call bypasses the cache");
        return bypass(bound, Why::Key);
    }
    let tags = tags.as_ref().map(TagBuf::texts);
    let reads = mode == Mode::Normal && bound.reads_memory;
    let mut due = None;
    if let Some(text) = buffer.ready().filter(|_| reads)
        && let Some(hit) = in_memory::<V, K>(call, bound, text, None, tags)
    {
        match hit {
            Hit::Plain(value) => return Found::Hit(value),
            Hit::Due(entry, what) => due = Some((entry, what)),
        }
    }
    miss::<V, K>(call, bound, mode, buffer, tags, due)
}

/// Everything a hit of a short key needs none of.
#[cold]
fn miss<V: CacheValue, K: Keep<V>>(
    call: &Call<'_>,
    bound: &Bound,
    mode: Mode,
    buffer: KeyBuf<'_>,
    tags: Option<&Lines>,
    mut due: Option<(Remembered, Due)>,
) -> Found<V> {
    let reads = mode == Mode::Normal && bound.reads_memory;
    let rendered = match buffer.finish() {
        Ok(rendered) => rendered,
        Err(why) => {
            tracing::debug!(site = call.site.name, %why, "a key cannot be rendered; the call bypasses the cache");
            if why == Unrenderable::NoSecret {
                bound.counters.set_terms(|terms| terms.lacks_secret = true);
            }
            return bypass(bound, Why::Key);
        }
    };
    if let Some(full) = rendered.full().filter(|_| reads)
        && let Some(hit) = digested::<V, K>(call, bound, rendered.bytes(), full, tags)
    {
        match hit {
            Hit::Plain(value) => return Found::Hit(value),
            Hit::Due(entry, what) => due = Some((entry, what)),
        }
    }
    let core = call.cache.core();
    let mut known = Tags {
        late: call.site.late,
        ..Tags::default()
    };
    for tag in tags.into_iter().flat_map(Lines::iter) {
        known.know(Label::stored(tag));
    }
    let key = rendered.into_key(call.site.template);
    let fill = Fill {
        core: Arc::clone(core),
        told: call.told(key.as_str()),
        key,
        reader: call.reader::<V, K>(bound),
        counters: Arc::clone(&bound.counters),
        refresh: mode == Mode::Refresh,
        tags: known,
    };
    Found::Miss(Miss(Box::new(match due {
        Some((entry, what)) => Missed::Due(fill, entry, what),
        None => Missed::Fill(fill),
    })))
}

#[inline]
fn rendered(call: &Call<'_>, tags: impl FnOnce(&mut TagBuf)) -> TagBuf {
    let mut buffer = TagBuf::new(call.cache.core());
    tags(&mut buffer);
    buffer
}

#[cold]
fn bypass<V>(bound: &Bound, why: Why) -> Found<V> {
    let counters = Arc::clone(&bound.counters);
    Found::Miss(Miss(Box::new(Missed::Bypass(why, counters))))
}

/// What a miss becomes under its policy, in small: a future keeps what it is given for as long as it lives.
enum Filling {
    Bypass(Why, Arc<Counters>),
    Call(Box<engine::Call>),
}

impl Miss {
    fn under(self, policy: &Policy) -> Filling {
        match *self.0 {
            Missed::Bypass(why, counters) => Filling::Bypass(why, counters),
            // A site that asks what is due has a load that can be run again.
            Missed::Fill(fill) | Missed::Due(fill, ..) => {
                Filling::Call(Box::new(fill.into_call(policy)))
            }
        }
    }
}

async fn fill<V, E, L>(filling: Filling, with: Loaded<V, E>, load: Pin<Box<L>>) -> Result<V, E>
where
    V: CacheValue,
    L: Future<Output = Result<V, E>>,
{
    match filling {
        Filling::Bypass(why, counters) => Box::pin(bypassed(why, &counters, load)).await,
        Filling::Call(call) => engine::run(call, with, load).await,
    }
}

async fn fill_owned<V, E>(miss: Miss, policy: Policy, origin: Origin<V, E>) -> Result<V, E>
where
    V: CacheValue,
    E: Send + 'static,
{
    match *miss.0 {
        Missed::Bypass(why, counters) => bypassed(why, &counters, (origin.run)()).await,
        Missed::Fill(fill) => engine::run_owned(fill.into_call(&policy), origin).await,
        Missed::Due(fill, entry, due) => {
            let call = fill.clone().into_call(&policy);
            match engine::serve_due(call, &entry, due, &origin) {
                Some(value) => Ok(value),
                None => engine::run_owned(fill.into_call(&policy), origin).await,
            }
        }
    }
}

async fn bypassed<F: Future>(why: Why, counters: &Counters, load: F) -> F::Output {
    counters.add(Count::Bypassed);
    let result = scope::in_load(engine::without_known(load)).await;
    scope::report(Served::Bypassed(why));
    result
}

impl Fill {
    fn into_call(self, policy: &Policy) -> engine::Call {
        let policy = Resolved::new(policy, &self.core.settings.defaults);
        let mut call = engine::Call::new(
            self.core,
            self.key,
            self.reader,
            policy,
            self.counters,
            self.refresh,
            self.tags,
        );
        call.told = self.told;
        call
    }
}

/// The methods of an expansion; written twice because their types differ, not what they do.
macro_rules! ready {
    ([$($generics:tt)*] $shape:ty, $value:ty, $keep:ty, $error:ty, $return:ty) => {
        impl<$($generics)*> Ready<$shape> {
            /// Looks into memory.
            pub fn lookup(
                self,
                call: Call<'_>,
                condition: bool,
                key: impl FnOnce(&mut KeyBuf<'_>),
            ) -> Found<$value> {
                lookup::<$value, $keep>(&call, condition, key, None::<fn(&mut TagBuf)>)
            }

            /// Looks into memory, for an entry with tags that the key does not tell.
            pub fn lookup_tagged(
                self,
                call: Call<'_>,
                condition: bool,
                key: impl FnOnce(&mut KeyBuf<'_>),
                tags: impl FnOnce(&mut TagBuf),
            ) -> Found<$value> {
                lookup::<$value, $keep>(&call, condition, key, Some(tags))
            }

            /// A hit as the function's return value.
            pub fn join(self, value: $value) -> $return {
                <$shape>::join(value)
            }

            /// No hooks yet.
            #[must_use]
            pub fn hooks(self) -> Hooks<$value> {
                Hooks::none()
            }

            /// Everything after a miss. `load` is the body, run at most once.
            pub fn fill<L: Future<Output = $return>>(
                self,
                miss: Miss,
                policy: Policy,
                hooks: Hooks<$value>,
                share: Share<$error>,
                load: L,
            ) -> Pin<Box<impl Future<Output = $return>>> {
                let load = Box::pin(async move { <$shape>::split(load.await) });
                let with = Loaded { hooks, share };
                let filling = miss.under(&policy);
                Box::pin(async move { <$shape>::pack(fill(filling, with, load).await) })
            }

            /// The same with a load that may outlive this call, and run again: the body is a closure over owned arguments.
            #[expect(clippy::too_many_arguments, reason = "generated code has a name for each")]
            pub fn fill_owned<A, L>(
                self,
                miss: Miss,
                policy: Policy,
                hooks: Hooks<$value>,
                share: Share<$error>,
                timeout: OnTimeout<$error>,
                arguments: A,
                body: fn(A) -> L,
            ) -> Pin<Box<impl Future<Output = $return>>>
            where
                A: Outlives,
                L: Future<Output = $return> + Send + 'static,
                $error: Send + 'static,
            {
                let origin = Origin {
                    run: Arc::new(move || -> Load<$value, $error> {
                        let load = body(arguments.clone());
                        Box::pin(async move { <$shape>::split(load.await) })
                    }),
                    with: Loaded { hooks, share },
                    timeout: timeout.0,
                };
                Box::pin(async move { <$shape>::pack(fill_owned(miss, policy, origin).await) })
            }

            /// Calls wait as long as it takes.
            #[must_use]
            pub fn no_timeout(self) -> OnTimeout<$error> {
                OnTimeout(None)
            }
        }
    };
}

ready!([V: CacheValue, K: Keep<V>, E] Res<V, E, K>, V, K, E, Result<V, E>);
ready!([V: CacheValue, K: Keep<V>] Plain<V, K>, V, K, std::convert::Infallible, V);

impl<V: CacheValue, E, K: Keep<V>> Ready<Res<V, E, K>> {
    /// What a timeout becomes.
    #[must_use]
    pub fn on_timeout(self, make: fn(LoadTimeout) -> E) -> OnTimeout<E> {
        OnTimeout(Some(make))
    }

    /// A timeout becomes the error it can be converted to.
    #[must_use]
    pub fn timeout_into(self) -> OnTimeout<E>
    where
        E: FromTimeout,
    {
        OnTimeout(Some(E::from_timeout))
    }
}

impl<V: CacheValue, K: Keep<V>> Ready<Plain<V, K>> {
    /// There is no error that could tell of a timeout.
    #[must_use]
    pub fn on_timeout<E>(self, make: fn(LoadTimeout) -> E) -> OnTimeout<std::convert::Infallible>
    where
        V: Times,
    {
        let _ = make;
        OnTimeout(None)
    }

    /// There is no error that could tell of a timeout.
    #[must_use]
    pub fn timeout_into(self) -> OnTimeout<std::convert::Infallible>
    where
        V: Times,
    {
        OnTimeout(None)
    }
}
