//! Spellings of other systems.
//!
//! People arrive with them in their fingers; each of those is worth one line here.

const TTL: &str = "write `ttl = \"10m\"`";
const PROTECTION: &str =
    "write `stampede_protection`, or leave it out: one load per key and process is the default";
const PREFIX: &str = "write it at the start of the template, as in `key = \"shop:product:{id}\"`";
const BY_TYPE: &str = "leave it out: `Option` and `Result` are recognised by type";
const NEGATIVE: &str = "write `negative_ttl = \"1m\"` to cache `None`";
const CAPACITY: &str =
    "capacity belongs to the cache: `Cache::builder(…).memory(Memory::new().max_entries(…))`";
const TIERS: &str = "tiers belong to the cache; `l1 = false` and `l2 = false` leave one out";
const BELOW: &str = "write it at the start of the template, as in `key = \"shop:product:{id}\"`: `#[cache_evict(region = \"shop\")]` evicts all of it";
const TAGS: &str = "write `tags = [\"owner:{id}\"]`";
const TAGS_FROM: &str = "write `tags_from = |value| value.tags.clone()`";
const SCOPE: &str = "write `scope = \"user:{user_id}\"`";
const EVICT_TAGS: &str = "that is another attribute: `#[cache_evict(tags = [\"…\"])]`";
const EVICT: &str = "that is another attribute: `#[cache_evict(key = \"…\")]`";
const CONDITION: &str = "write `condition = id > 0`";
const UNLESS: &str = "write `unless = |value| value.is_empty()`";
const TIMEOUT: &str = "write `ttl = \"10m\"` for the life of a value, or `hard_timeout = \"2s\"` for how long a call waits";
const AT_ONCE: &str = "write `stale_while_revalidate = \"30s\"` to serve stale at once";
const AFTER_ERROR: &str = "write `stale_if_error = \"1h\"` to serve stale if the load fails";
const STALE: &str = "write `stale_while_revalidate = \"30s\"` to serve stale at once, or `stale_if_error = \"1h\"` if the load fails";
const REFRESH: &str = "write `background_refresh`, or `refresh_every = \"5m\"` for a timer";
const TIMER: &str = "write `refresh_every = \"5m\"`";
const EARLY: &str = "write `early_refresh`";
const SOFT: &str = "write `soft_timeout = \"100ms\"` to serve stale then";
const HARD: &str =
    "write `hard_timeout = \"2s\"`, or `soft_timeout = \"100ms\"` to serve stale then";
const HOOKS: &str = "write `on_hit = metrics::hit` and `on_miss = metrics::miss`";

/// For the attributes that store.
pub(super) const STORING: &[(&str, &str)] = &[
    (
        "expire expires expiry expiration expire_after expires_in time time_to_live",
        TTL,
    ),
    (
        "max_age lifetime life duration ttl_secs ttl_seconds ttl_millis cache_for time_refresh",
        TTL,
    ),
    (
        "sync sync_writes sync_lock lock locked single_flight singleflight coalesce dogpile",
        PROTECTION,
    ),
    ("stampede protect stampede_lock", PROTECTION),
    ("key_prefix prefix cache_prefix_block", PREFIX),
    (
        "group namespace region regions cache_name cache_names",
        BELOW,
    ),
    ("tag cache_tag cache_tags labels", TAGS),
    ("tag_from tag_fn tags_fn tag_builder", TAGS_FROM),
    ("owner owner_id tenant tenant_id per_user", SCOPE),
    ("invalidate_tags evict_tags", EVICT_TAGS),
    (
        "name id convert key_builder key_generator key_fn keys",
        "write `key = \"product:{id}\"`",
    ),
    ("result option with_cached_flag", BY_TYPE),
    (
        "cache_none cache_null cache_nil ttl_none null_ttl none_ttl negative",
        NEGATIVE,
    ),
    (
        "size max_size capacity max_capacity max_entries limit unbound ty create",
        CAPACITY,
    ),
    (
        "redis disk memory store tier tiers backend map_error",
        TIERS,
    ),
    ("evict invalidate evict_all invalidate_all delete", EVICT),
    ("when cond only_if if_", CONDITION),
    ("skip_if filter cache_if condition_result except", UNLESS),
    ("ignore exclude without skip_args", "write `skip(pool)`"),
    ("jitter_ratio ttl_jitter jitter_max", "write `jitter = 0.1`"),
    ("memory_only no_redis local", "write `l2 = false`"),
    ("redis_only no_memory", "write `l1 = false`"),
    (
        "cache_manager manager pool client",
        "write `cache = self.cache`",
    ),
    ("schema schema_version revision", "write `version = 2`"),
    ("time_to_idle tti expire_after_access", TTL),
    ("timeout", TIMEOUT),
    (
        "grace swr stale_while_refresh revalidate serve_stale stale_ttl",
        AT_ONCE,
    ),
    (
        "fail_safe failsafe fail_safe_max_duration sie stale_if_err stale_on_error fallback",
        AFTER_ERROR,
    ),
    ("stale max_stale allow_stale keep", STALE),
    (
        "eager_refresh eager_refresh_threshold refresh_ahead refresh_after refresh_after_write refresh auto_refresh",
        REFRESH,
    ),
    (
        "refresh_interval refresh_period refresh_rate every period schedule cron",
        TIMER,
    ),
    ("beta xfetch early early_expiration probabilistic", EARLY),
    (
        "fail_safe_throttle_duration throttle backoff retry retry_delay",
        "write `retry_after = \"1s\"`",
    ),
    ("factory_soft_timeout", SOFT),
    (
        "factory_timeout factory_hard_timeout load_timeout origin_timeout timeouts deadline",
        HARD,
    ),
    (
        "timeout_error on_hard_timeout",
        "write `on_timeout = |timeout| Error::Slow(timeout)`",
    ),
    (
        "check verify audit consistency",
        "write `consistency_check = 0.01`",
    ),
    ("on_load on_refresh", "write `on_miss = metrics::miss`"),
    ("hook hooks on_event callback listener", HOOKS),
];

/// For eviction.
pub(super) const EVICTING: &[(&str, &str)] = &[
    (
        "all_entries allEntries clear flush everything",
        "write `all`",
    ),
    (
        "before_invocation beforeInvocation early first",
        "write `before`",
    ),
    ("on_error even_on_error finally on_err", "write `always`"),
    (
        "tag cache_tag cache_tags invalidate_tags evict_tags labels",
        TAGS,
    ),
    (
        "group namespace regions cache_name cache_names",
        "write `region = \"products\"`",
    ),
    ("owner owner_id tenant tenant_id per_user", SCOPE),
    (
        "stale mark_stale soft soft_invalidate expired",
        "write `expire`",
    ),
    (
        "patterns glob match_ prefix starts_with key_prefix",
        "write `pattern = \"products:*\"`",
    ),
    (
        "name id convert key_builder key_generator",
        "write `key = \"product:{id}\"`",
    ),
    ("delay grace hold_for lock", "write `hold = \"2s\"`"),
    ("when cond only_if unless", CONDITION),
    (
        "ttl",
        "an eviction has no `ttl`; `hold = \"2s\"` refuses stores for that long",
    ),
    ("cache_manager manager client", "write `cache = self.cache`"),
];
