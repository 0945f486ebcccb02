//! What surrounds a call: which cache is the current one, and how the call is to behave.
//!
//! A task-local, looked at only if a scope was ever opened in this process: services that never open one pay a
//! relaxed load. The scope reaches the annotated calls a future makes itself; inside a load only the current
//! cache remains.

use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use super::Cache;
use crate::{engine::Core, observe::Served};

static EVER: AtomicBool = AtomicBool::new(false);

tokio::task_local! {
    static SCOPE: Scope;
}

/// How the annotated calls of a future behave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Normal,
    /// Neither read nor write.
    Bypass,
    /// Skip what is stored, load, store.
    Refresh,
}

#[derive(Clone, Default)]
struct Scope {
    cache: Option<Cache>,
    mode: Mode,
    report: Option<Arc<Mutex<Option<Served>>>>,
}

fn here() -> Option<Scope> {
    is_any().then(|| SCOPE.try_with(Clone::clone))?.ok()
}

/// What surrounds the future is looked at when it runs, not when it is made: `cache.as_current(refresh(call()))` makes
/// the inner scope before the outer one is there.
fn open<F: Future>(change: impl FnOnce(&mut Scope), future: F) -> impl Future<Output = F::Output> {
    // An `async` block holds what it captures beside what it awaits: unboxed, every scope would double the future.
    let future = Box::pin(future);
    async move {
        EVER.store(true, Ordering::Relaxed);
        let mut scope = here().unwrap_or_default();
        change(&mut scope);
        SCOPE.scope(scope, future).await
    }
}

/// Whether a scope was ever opened in this process.
#[inline]
fn is_any() -> bool {
    EVER.load(Ordering::Relaxed)
}

/// The cache of the innermost `as_current`.
#[inline]
pub(super) fn cache() -> Option<Cache> {
    let here = || SCOPE.try_with(|scope| scope.cache.clone());
    is_any().then(here)?.ok().flatten()
}

/// How the call that asks is to behave.
#[inline]
pub(crate) fn mode() -> Mode {
    let here = || SCOPE.try_with(|scope| scope.mode);
    is_any().then(here).and_then(Result::ok).unwrap_or_default()
}

/// Tells the innermost [`traced`] how a call was served.
#[inline]
pub(crate) fn report(served: Served) {
    if is_any() {
        report_here(served);
    }
}

#[cold]
fn report_here(served: Served) {
    let _ = SCOPE.try_with(|scope| {
        if let Some(report) = &scope.report {
            *report.lock().unwrap_or_else(PoisonError::into_inner) = Some(served);
        }
    });
}

pub(super) fn with_cache<F: Future>(cache: Cache, future: F) -> impl Future<Output = F::Output> {
    open(|scope| scope.cache = Some(cache), future)
}

/// What surrounds work that goes on without its caller: the current cache, as long as there is one, and nothing else.
#[derive(Clone)]
pub(crate) struct Surroundings(Option<Weak<Core>>);

/// What surrounds the call that asks.
pub(crate) fn surroundings() -> Surroundings {
    let cache = here().and_then(|scope| scope.cache);
    Surroundings(cache.map(|cache| Arc::downgrade(cache.core())))
}

impl Surroundings {
    /// Runs `work` there.
    pub(crate) fn around<F: Future>(self, work: F) -> impl Future<Output = F::Output> + use<F> {
        let core = self.0.and_then(|core| core.upgrade());
        let scope = Scope {
            cache: core.map(Cache::from_core),
            ..Scope::default()
        };
        SCOPE.scope(scope, work)
    }
}

/// Runs a load: the current cache stays, the rest of the scope does not reach in.
pub(crate) fn in_load<F: Future>(load: F) -> impl Future<Output = F::Output> {
    let cache = here().and_then(|scope| scope.cache);
    let scope = Scope {
        cache,
        ..Scope::default()
    };
    SCOPE.scope(scope, load)
}

/// Runs `future` with annotated calls that neither read nor write the cache.
///
/// Reaches the calls `future` makes itself, not those inside loads. Evictions still happen, and a
/// `#[cache_put]` evicts instead of storing: what is stored would be old.
///
/// ```
/// # use cache_runtime::{bypass, cacheable};
/// #[cacheable(key = "answer", ttl = 60)]
/// async fn answer() -> u32 { 42 }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// assert_eq!(bypass(answer()).await, 42);
/// # });
/// ```
pub fn bypass<F: Future>(future: F) -> impl Future<Output = F::Output> {
    open(|scope| scope.mode = Mode::Bypass, future)
}

/// Runs `future` with annotated calls that skip what is stored, load, and store.
///
/// Reaches the calls `future` makes itself, not those inside loads. Loads that already run do not count as
/// fresh: a refresh overtakes them.
///
/// ```
/// # use cache_runtime::{refresh, cacheable};
/// #[cacheable(key = "answer", ttl = 60)]
/// async fn answer() -> u32 { 42 }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// assert_eq!(refresh(answer()).await, 42);
/// # });
/// ```
pub fn refresh<F: Future>(future: F) -> impl Future<Output = F::Output> {
    open(|scope| scope.mode = Mode::Refresh, future)
}

/// Runs `future` and tells how its last annotated call was served; `None` if it made none.
///
/// ```
/// # use cache_runtime::{traced, cacheable, Served};
/// #[cacheable(key = "traced answer", ttl = 60)]
/// async fn answer() -> u32 { 42 }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// assert_eq!(traced(answer()).await, (42, Some(Served::Loaded)));
/// assert_eq!(traced(answer()).await, (42, Some(Served::Memory)));
/// # });
/// ```
pub async fn traced<F: Future>(future: F) -> (F::Output, Option<Served>) {
    let report = Arc::new(Mutex::new(None));
    let output = open(|scope| scope.report = Some(Arc::clone(&report)), future).await;
    let served = *report.lock().unwrap_or_else(PoisonError::into_inner);
    (output, served)
}
