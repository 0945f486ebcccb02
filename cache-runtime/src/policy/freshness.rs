//! What is done so that nobody waits for a value, as a site asks for it.

use std::time::Duration;

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What is done so that nobody waits for a value, and what may be served that is past its ttl.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Freshness {
    pub(crate) background_refresh: Option<f64>,
    pub(crate) early_refresh: Option<f64>,
    pub(crate) stale_while_revalidate: Option<Duration>,
    pub(crate) stale_if_error: Option<Duration>,
    pub(crate) window: Option<Duration>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) soft_timeout: Option<Duration>,
    pub(crate) hard_timeout: Option<Duration>,
    pub(crate) refresh_every: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) consistency_check: Option<f64>,
}

impl Freshness {
    pub(super) const NONE: Self = Self {
        background_refresh: None,
        early_refresh: None,
        stale_while_revalidate: None,
        stale_if_error: None,
        window: None,
        retry_after: None,
        soft_timeout: None,
        hard_timeout: None,
        refresh_every: None,
        idle: None,
        consistency_check: None,
    };

    pub(super) fn over(&self, defaults: &Self) -> Self {
        Self {
            background_refresh: self.background_refresh.or(defaults.background_refresh),
            early_refresh: self.early_refresh.or(defaults.early_refresh),
            stale_while_revalidate: self
                .stale_while_revalidate
                .or(defaults.stale_while_revalidate),
            stale_if_error: self.stale_if_error.or(defaults.stale_if_error),
            window: self.window.or(defaults.window),
            retry_after: self.retry_after.or(defaults.retry_after),
            soft_timeout: self.soft_timeout.or(defaults.soft_timeout),
            hard_timeout: self.hard_timeout.or(defaults.hard_timeout),
            refresh_every: self.refresh_every.or(defaults.refresh_every),
            idle: self.idle.or(defaults.idle),
            consistency_check: self.consistency_check.or(defaults.consistency_check),
        }
    }

    /// How long a value is kept beyond its ttl.
    pub(crate) fn window(&self) -> Duration {
        let revalidated = self.stale_while_revalidate.unwrap_or_default();
        let served = revalidated.max(self.stale_if_error.unwrap_or_default());
        self.window.unwrap_or(served)
    }

    /// Whether a value past its ttl may be of use.
    pub(crate) fn keeps_stale(&self) -> bool {
        !self.window().is_zero() || self.soft_timeout.is_some()
    }

    /// Whether a hit may have to do more than to serve.
    pub(crate) fn watches(&self) -> bool {
        self.background_refresh.is_some()
            || self.early_refresh.is_some()
            || self.refresh_every.is_some()
            || self.consistency_check.is_some()
    }

    /// The first pause after a failure.
    pub(crate) fn pause(&self) -> Duration {
        self.retry_after.unwrap_or(RETRY_AFTER)
    }

    /// The first option here that needs a load which outlives its caller.
    pub(super) fn outliving(&self) -> Option<&'static str> {
        let options = [
            ("background_refresh", self.background_refresh.is_some()),
            ("early_refresh", self.early_refresh.is_some()),
            (
                "stale_while_revalidate",
                self.stale_while_revalidate.is_some(),
            ),
            ("soft_timeout", self.soft_timeout.is_some()),
            ("hard_timeout", self.hard_timeout.is_some()),
            ("refresh_every", self.refresh_every.is_some()),
            ("consistency_check", self.consistency_check.is_some()),
        ];
        options
            .into_iter()
            .find(|(_, given)| *given)
            .map(|(name, _)| name)
    }
}
