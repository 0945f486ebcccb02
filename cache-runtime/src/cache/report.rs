//! The report of what is set up wrongly: on demand, and once in the log when Redis is first connected.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use super::{
    Cache, Health,
    findings::{Facts, Finding, Severity, findings},
};
use crate::engine::Core;

/// What has a line of its own in the log, or is for who asks.
const SAID_ELSEWHERE: [&str; 3] = ["redis-down", "redis-degraded", "bus-unsupported"];

impl Cache {
    /// What is set up so that the cache does less than it could, or endangers what it holds: the worst first, nothing if all is well.
    ///
    /// It looks at what calls have met so far, so it knows more after an hour than at the start, and asks Redis (`INFO`, within
    /// [`redis_budget`](crate::CacheBuilder::redis_budget)) about its version and its memory; a server that may not be asked is a finding. What is found at the first connection is logged
    /// as well, each thing once, with the target `cache_runtime::report`: from [`Severity::Warning`] on, and without asking a server under an account with a name, which may
    /// not permit it. Dropping the future leaves nothing behind.
    ///
    /// ```
    /// use cache_runtime::Cache;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let cache = Cache::builder("shop").build().unwrap();
    /// for finding in cache.report().await {
    ///     eprintln!("{:?} {}: {finding}", finding.severity, finding.code);
    /// }
    /// # });
    /// ```
    pub async fn report(&self) -> Vec<Finding> {
        let within = self.core().settings.redis_budget;
        findings(&self.facts(Some(within)).await)
    }

    /// What the rules look at; servers are asked within so long, or not.
    async fn facts(&self, ask: Option<Duration>) -> Facts {
        let core = self.core();
        let health = Health::of(core);
        let servers = match (&core.commands, ask, &health.redis) {
            (Some(redis), Some(within), connected) if connected.is_up() => {
                let told = redis.survey(within).await;
                told.map_err(|error| error.to_string())
            }
            _ => Ok(Vec::new()),
        };
        Facts {
            stats: self.stats(),
            terms: core.sites.terms(),
            health,
            redis_budget: core.settings.redis_budget,
            redis_url: std::env::var_os("REDIS_URL").is_some_and(|url| !url.is_empty()),
            servers,
        }
    }

    /// Logs what is found now and was not logged before.
    async fn log_report(&self) {
        let core = self.core();
        let asks = core
            .commands
            .as_ref()
            .is_some_and(|redis| redis.may_be_asked());
        // Nobody waits for it, so it takes its time.
        let within = core.settings.redis_budget.max(Duration::from_secs(1));
        let facts = self.facts(asks.then_some(within)).await;
        for finding in findings(&facts) {
            let said = SAID_ELSEWHERE.contains(&finding.code);
            if said || finding.severity < Severity::Warning || !core.is_news(&finding) {
                continue;
            }
            tracing::warn!(
                target: "cache_runtime::report",
                cache = core.settings.name,
                code = finding.code,
                severity = ?finding.severity,
                site = finding.site.as_deref(),
                "{finding}"
            );
        }
    }
}

impl Core {
    /// Whether nothing was logged yet of this.
    fn is_news(&self, finding: &Finding) -> bool {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.insert((finding.code, finding.site.clone()))
    }

    /// Redis is connected, for the first time or again, or there is none: says what is wrong.
    pub(super) fn report_connection(self: &Arc<Self>) {
        let owner = Arc::downgrade(self);
        self.background.report(async move {
            if let Some(core) = owner.upgrade() {
                Cache::from_core(core).log_report().await;
            }
        });
    }
}
