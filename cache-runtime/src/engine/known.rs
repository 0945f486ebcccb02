//! What a load can know of the value it is to replace.

use std::{sync::Arc, time::Duration};

use super::chain::{self, Link};
use crate::entry::CacheValue;

/// The value that a load is to replace: past its ttl, or about to be; see [`known`].
#[derive(Clone, Debug)]
pub struct Known<V> {
    value: V,
    age: Duration,
    link: Arc<Link>,
}

/// What a load has found out, of [`Cache::try_get_or_refresh`](crate::Cache::try_get_or_refresh).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh<V> {
    /// This is the value now.
    Value(V),
    /// What the load was told of is still the one: it is stored with a whole new life.
    NotModified,
}

impl<V> Known<V> {
    /// The value.
    pub fn value(&self) -> &V {
        &self.value
    }

    /// Time since it was loaded, or found to be not modified. Milliseconds; over processes as exact as their clocks are read.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.age
    }

    /// The value, to be returned by the load: it is still the one. It is stored with a whole new life, and counted as `not_modified`.
    #[must_use = "the load has to return it"]
    pub fn not_modified(self) -> V {
        self.link.say_not_modified();
        self.value
    }
}

/// Inside a load, the value it is to replace, if there is one: a conditional request can then spare the origin the work.
///
/// There is one if a policy keeps values beyond their ttl (`stale_while_revalidate`, `stale_if_error`) or refreshes them before it ends (`background_refresh`,
/// `early_refresh`, `refresh_every`); none in the first load of a key, after an eviction, under [`refresh`](crate::refresh), and where `V` is not
/// the type that is cached (of a function that returns `Result<V, E>` that is `V`).
///
/// ```
/// use cache_runtime::{cacheable, known};
///
/// #[cacheable(key = "rates", ttl = "1m", stale_if_error = "1h")]
/// async fn rates() -> Result<(u64, String), std::io::Error> {
///     let known = known::<(u64, String)>();
///     let etag = known.as_ref().map(|known| known.value().0);
///     match fetch_unless(etag).await? {
///         Some(new) => Ok(new),
///         None => Ok(known.expect("only what is known can be unchanged").not_modified()),
///     }
/// }
///
/// async fn fetch_unless(etag: Option<u64>) -> Result<Option<(u64, String)>, std::io::Error> {
///     Ok((etag != Some(7)).then(|| (7, "1.08".to_owned())))
/// }
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// assert_eq!(rates().await.unwrap().0, 7);
/// # });
/// ```
#[must_use]
pub fn known<V: CacheValue>() -> Option<Known<V>> {
    let link = chain::current()?;
    let old = link.known.as_ref()?;
    Some(Known {
        value: old.value.downcast_ref::<V>()?.clone(),
        age: Duration::from_millis(old.age),
        link: Arc::clone(&link),
    })
}
