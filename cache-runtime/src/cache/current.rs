//! Which cache an annotated function uses: the task's, else the installed one, else one in memory.

use std::{ops::Deref, sync::LazyLock};

use once_cell::sync::OnceCell;

use super::{Cache, scope};
use crate::error::InstallError;

static INSTALLED: OnceCell<Cache> = OnceCell::new();

/// Used until a cache is installed: nobody has to configure anything to begin.
static FALLBACK: LazyLock<Cache> = LazyLock::new(|| {
    Cache::builder("cache")
        .build()
        .expect("the defaults are a valid configuration")
});

/// A cache borrowed for one call.
#[derive(Debug)]
pub enum CacheRef<'a> {
    /// Somebody else keeps it.
    Borrowed(&'a Cache),
    /// The scope of this task gave it.
    Scoped(Cache),
}

impl Deref for CacheRef<'_> {
    type Target = Cache;

    #[inline]
    fn deref(&self) -> &Cache {
        match self {
            Self::Borrowed(cache) => cache,
            Self::Scoped(cache) => cache,
        }
    }
}

/// The current cache, without counting a reference where none is needed.
#[inline]
pub(crate) fn current() -> CacheRef<'static> {
    match scope::cache() {
        Some(cache) => CacheRef::Scoped(cache),
        None => CacheRef::Borrowed(INSTALLED.get().unwrap_or_else(|| &FALLBACK)),
    }
}

/// The cache of a `cache = …` option.
#[inline]
pub(crate) fn cache_ref(cache: &Cache) -> CacheRef<'_> {
    CacheRef::Borrowed(cache)
}

pub(super) fn install(cache: &Cache) -> Result<(), InstallError> {
    INSTALLED
        .try_insert(cache.clone())
        .map(drop)
        .map_err(|(installed, _)| InstallError(installed.name().to_owned()))
}
