//! What an entry is and who waits for it: its name, its life, its tiers.

use super::{NONE, duration, row};
use crate::options::Macro::{Cacheable, Evict, Put};
use crate::options::{Form, Row};
use crate::source::value::template::Kind;

const ZERO_TTL: &str =
    "a `ttl` of zero stores nothing: write how long the value is fresh, or take the attribute away";
const ZERO_NEGATIVE: &str = "without `negative_ttl` a `None` is not cached: leave the option out";
const ZERO_CAP: &str = "a memory tier that keeps nothing is written `l1 = false`";
const ZERO_HOLD: &str = "a `hold` of zero holds nothing: leave the option out";
const ALL_COVERS: &str = "`all` evicts everything already: keep one of the two";
const ALL_HIDES: &str = "`all` has no key that could show it: leave it out";
const DEFAULT_KEY_ONLY: &str =
    "`skip` shapes the default key: leave the argument out of the template instead";

/// One row per option; two where macros read the same name differently.
pub(super) static ENTRIES: &[Row] = &[
    row(
        "key",
        &[Cacheable, Put],
        Form::Template(Kind::Key),
        "key = \"product:{id}\"",
        NONE,
    ),
    row(
        "key",
        &[Evict],
        Form::Templates(Kind::Key),
        "key = \"product:{id}\"",
        NONE,
    ),
    row(
        "keys",
        &[Evict],
        Form::Templates(Kind::Key),
        "keys = [\"product:{id}\", \"stock:{id}\"]",
        NONE,
    ),
    row(
        "pattern",
        &[Evict],
        Form::Templates(Kind::Pattern),
        "pattern = \"products:list:*\"",
        NONE,
    ),
    row(
        "region",
        &[Evict],
        Form::Templates(Kind::Region),
        "region = \"products:list\"",
        NONE,
    ),
    row(
        "scope",
        &[Cacheable, Evict, Put],
        Form::Template(Kind::Scope),
        "scope = \"user:{user_id}\"",
        NONE,
    ),
    row(
        "tags",
        &[Cacheable, Evict, Put],
        Form::Templates(Kind::Tag),
        "tags = [\"owner:{id}\"]",
        NONE,
    ),
    row(
        "tags_from",
        &[Cacheable, Put],
        Form::Function,
        "tags_from = |value| value.tags.clone()",
        NONE,
    ),
    row(
        "all",
        &[Evict],
        Form::Flag,
        "all",
        &[
            ("key", ALL_COVERS),
            ("keys", ALL_COVERS),
            ("pattern", ALL_COVERS),
            ("region", ALL_COVERS),
            ("scope", ALL_COVERS),
            ("tags", ALL_COVERS),
        ],
    ),
    row("before", &[Evict], Form::Flag, "before", NONE),
    row("always", &[Evict], Form::Flag, "always", NONE),
    row("expire", &[Evict], Form::Flag, "expire", NONE),
    row(
        "hold",
        &[Evict],
        Form::Hold { zero: ZERO_HOLD },
        "hold = \"2s\"",
        NONE,
    ),
    row(
        "skip",
        &[Cacheable],
        Form::Names,
        "skip(pool)",
        &[("key", DEFAULT_KEY_ONLY)],
    ),
    row(
        "secret",
        &[Cacheable, Evict, Put],
        Form::Names,
        "secret(token)",
        &[("all", ALL_HIDES)],
    ),
    row(
        "ttl",
        &[Cacheable, Put],
        duration("ttl", Some(ZERO_TTL)),
        "ttl = \"10m\"",
        NONE,
    ),
    row(
        "ttl_from",
        &[Cacheable, Put],
        Form::Function,
        "ttl_from = |value| value.lifetime",
        NONE,
    ),
    row(
        "jitter",
        &[Cacheable, Put],
        Form::Share {
            setter: "jitter",
            flag: None,
            zero: None,
        },
        "jitter = 0.1",
        NONE,
    ),
    row(
        "negative_ttl",
        &[Cacheable, Put],
        duration("negative_ttl", Some(ZERO_NEGATIVE)),
        "negative_ttl = \"1m\"",
        NONE,
    ),
    row(
        "stampede_protection",
        &[Cacheable],
        Form::Choice {
            setter: "stampede_protection",
            of: "StampedeProtection",
            flag: "Fleet",
            values: &[("fleet", "Fleet"), ("process", "Process"), ("off", "Off")],
        },
        "stampede_protection = \"fleet\"",
        NONE,
    ),
    row(
        "wait_timeout",
        &[Cacheable],
        duration("wait_timeout", None),
        "wait_timeout = \"5s\"",
        NONE,
    ),
    row(
        "condition",
        &[Cacheable, Evict, Put],
        Form::Condition,
        "condition = id > 0",
        NONE,
    ),
    row(
        "unless",
        &[Cacheable, Put],
        Form::Function,
        "unless = |value| value.is_empty()",
        NONE,
    ),
    row(
        "version",
        &[Cacheable, Put],
        Form::Version { setter: "version" },
        "version = 2",
        NONE,
    ),
    row(
        "share_errors",
        &[Cacheable],
        Form::FalseOrFunction,
        "share_errors = false",
        NONE,
    ),
    row(
        "l1",
        &[Cacheable, Put],
        Form::Tier {
            off: "without_l1",
            cap: Some(("l1_max_age", ZERO_CAP)),
        },
        "l1 = false",
        NONE,
    ),
    row(
        "l2",
        &[Cacheable, Put],
        Form::Tier {
            off: "without_l2",
            cap: None,
        },
        "l2 = false",
        NONE,
    ),
    row(
        "cache",
        &[Cacheable, Evict, Put],
        Form::Expression,
        "cache = self.cache",
        NONE,
    ),
    row(
        "crate",
        &[Cacheable, Evict, Put],
        Form::Root,
        "crate = ::my_framework::cache",
        NONE,
    ),
];
