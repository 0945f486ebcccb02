//! What is done so that nobody waits for a value, what may be served past its ttl, and who hears of it.

use super::{NONE, duration, row};
use crate::options::Macro::{Cacheable, Put};
use crate::options::{Form, Load, Row};

const ZERO_REFRESH: &str = "a share of zero would refresh at every hit: write `background_refresh = 0.8`, or `ttl` for a shorter life";
const ZERO_WINDOW: &str = "a window of zero serves nothing stale: leave the option out";
const ZERO_RETRY: &str = "a `retry_after` of zero would leave a failing origin no rest: write how long, such as `retry_after = \"1s\"`, or leave the option out";
const ZERO_SOFT: &str = "a `soft_timeout` of zero waits for no load: write how long, or `stale_while_revalidate = \"30s\"` to serve stale at once";
const ZERO_HARD: &str = "a `hard_timeout` of zero would answer every miss with an error: write how long a call waits, or leave the option out";
const ZERO_PERIOD: &str = "a period of zero would never stop loading: write `refresh_every = \"5m\"`, or leave the option out";
const ZERO_IDLE: &str = "an `idle` of zero would refresh nothing: write how long a key stays in use, or leave the option out";
const ZERO_CHECK: &str = "a share of zero checks nothing: leave the option out";

/// One row per option.
pub(super) static FRESHNESS: &[Row] = &[
    row(
        "background_refresh",
        &[Cacheable],
        Form::Share {
            setter: "background_refresh",
            flag: Some(0.8),
            zero: Some(ZERO_REFRESH),
        },
        "background_refresh = 0.8",
        NONE,
    )
    .load(Load::Watched),
    row(
        "early_refresh",
        &[Cacheable],
        Form::Factor {
            setter: "early_refresh",
            flag: 1.0,
        },
        "early_refresh = 1.0",
        NONE,
    )
    .load(Load::Watched),
    row(
        "stale_while_revalidate",
        &[Cacheable, Put],
        duration("stale_while_revalidate", Some(ZERO_WINDOW)),
        "stale_while_revalidate = \"30s\"",
        NONE,
    )
    .load(Load::Outlives),
    row(
        "stale_if_error",
        &[Cacheable, Put],
        duration("stale_if_error", Some(ZERO_WINDOW)),
        "stale_if_error = \"1h\"",
        NONE,
    ),
    row(
        "retry_after",
        &[Cacheable],
        duration("retry_after", Some(ZERO_RETRY)),
        "retry_after = \"1s\"",
        NONE,
    ),
    row(
        "soft_timeout",
        &[Cacheable],
        duration("soft_timeout", Some(ZERO_SOFT)),
        "soft_timeout = \"100ms\"",
        NONE,
    )
    .load(Load::Outlives),
    row(
        "hard_timeout",
        &[Cacheable],
        duration("hard_timeout", Some(ZERO_HARD)),
        "hard_timeout = \"2s\"",
        NONE,
    )
    .load(Load::Outlives),
    row(
        "on_timeout",
        &[Cacheable],
        Form::Function,
        "on_timeout = |timeout| Error::Slow(timeout)",
        NONE,
    )
    .requires("hard_timeout"),
    row(
        "refresh_every",
        &[Cacheable],
        duration("refresh_every", Some(ZERO_PERIOD)),
        "refresh_every = \"5m\"",
        NONE,
    )
    .load(Load::Watched),
    row(
        "idle",
        &[Cacheable],
        duration("idle", Some(ZERO_IDLE)),
        "idle = \"1h\"",
        NONE,
    )
    .requires("refresh_every"),
    row(
        "consistency_check",
        &[Cacheable],
        Form::Share {
            setter: "consistency_check",
            flag: None,
            zero: Some(ZERO_CHECK),
        },
        "consistency_check = 0.01",
        NONE,
    )
    .load(Load::Watched),
    row(
        "on_hit",
        &[Cacheable],
        Form::Hook,
        "on_hit = metrics::hit",
        NONE,
    ),
    row(
        "on_miss",
        &[Cacheable],
        Form::Hook,
        "on_miss = metrics::miss",
        NONE,
    ),
];
