//! Who publishes a cache's figures over the `metrics` facade, and when.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use super::Cache;
use crate::error::{CacheError, ErrorKind};

/// Oftener would be work without news.
const OFTENEST: Duration = Duration::from_millis(100);

impl Cache {
    /// Tells the `metrics` facade of all figures as they are now, under the names in `docs/observability.md`.
    ///
    /// For who reads them when asked; else [`publish_metrics_every`](Self::publish_metrics_every). Calls cost nothing more for it: the figures are those of
    /// [`stats`](Self::stats). Install the program's recorder first: what was told before is not told again.
    #[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
    pub fn publish_metrics(&self) {
        let stats = self.stats();
        let published = &self.core().published;
        let mut published = published.lock().unwrap_or_else(PoisonError::into_inner);
        published.publish(self.name(), &stats);
    }

    /// Does so from now on, this often (at least 100 ms apart), in a task on this runtime that ends with the cache, at [`close`](Self::close) or when the runtime does.
    ///
    /// Another call takes the place of an earlier one. `close` publishes once more.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] outside a tokio runtime, [`ErrorKind::Closed`] after `close`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use cache_runtime::Cache;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let cache = Cache::builder("shop").build()?;
    /// cache.publish_metrics_every(Duration::from_secs(10))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
    pub fn publish_metrics_every(&self, period: Duration) -> Result<(), CacheError> {
        let (owner, period) = (Arc::downgrade(self.core()), period.max(OFTENEST));
        let work = async move {
            loop {
                tokio::time::sleep(period).await;
                match owner.upgrade() {
                    Some(core) => Self::from_core(core).publish_metrics(),
                    None => return,
                }
            }
        };
        if self.core().background.publish(work) {
            return Ok(());
        }
        Err(match tokio::runtime::Handle::try_current() {
            Ok(_) => CacheError::new(ErrorKind::Closed, "the cache is closed"),
            Err(_) => CacheError::new(
                ErrorKind::Invalid,
                "figures are published by a task, and there is no tokio runtime here",
            ),
        })
    }
}
