//! What to write instead of a name that is no option.
//!
//! People arrive with the spellings of other systems in their fingers; each of those is worth one line here.

use syn::{Expr, Lit};

use super::{Macro, table};
use crate::diagnostics::listed;
use crate::source::value::{duration, literal};

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

/// Spellings of other systems, for the attributes that store.
const STORING: &[(&str, &str)] = &[
    (
        "expire expires expiry expiration expire_after expires_in time timeout time_to_live",
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
];

/// Spellings of other systems, for eviction.
const EVICTING: &[(&str, &str)] = &[
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

/// The error for a name that `which` does not know.
pub(super) fn unknown(which: Macro, name: &str) -> String {
    let hint = elsewhere_spelled(which, name)
        .or_else(|| of_another_macro(which, name))
        .or_else(|| misspelled(which, name));
    let hint = hint.map_or_else(String::new, |hint| format!(": {hint}"));
    format!(
        "`{which}` has no option `{name}`{hint}\nits options are {all}",
        which = which.name(),
        all = listed(names(which))
    )
}

fn names(which: Macro) -> impl Iterator<Item = &'static str> {
    table::ROWS
        .iter()
        .filter(move |row| row.macros.contains(&which))
        .map(|row| row.name)
}

fn elsewhere_spelled(which: Macro, name: &str) -> Option<String> {
    let spellings = if which == Macro::Evict {
        EVICTING
    } else {
        STORING
    };
    let (_, hint) = spellings
        .iter()
        .find(|(spelled, _)| spelled.split(' ').any(|word| word == name))?;
    advises(which, hint).then(|| (*hint).to_owned())
}

/// Whether a hint speaks of an option that `which` has: the attributes that store share their hints, not all their options.
fn advises(which: Macro, hint: &str) -> bool {
    let Some(advice) = hint.strip_prefix("write `") else {
        return true;
    };
    let option = advice
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .next();
    names(which).any(|known| Some(known) == option)
}

fn of_another_macro(which: Macro, name: &str) -> Option<String> {
    let row = table::ROWS
        .iter()
        .find(|row| row.name == name && !row.macros.contains(&which))?;
    let owners = row.macros.iter().map(|owner| owner.name());
    Some(format!("it is an option of {}", listed(owners)))
}

fn misspelled(which: Macro, name: &str) -> Option<String> {
    let near = names(which)
        .map(|known| (distance(name, known), known))
        .min()?;
    (near.0 <= 2 && near.0 * 2 < name.len()).then(|| format!("did you mean `{}`?", near.1))
}

/// Levenshtein, one row at a time.
fn distance(from: &str, to: &str) -> usize {
    let mut costs: Vec<usize> = (0..=to.len()).collect();
    for (at, letter) in from.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut costs[0], at + 1);
        for (column, other) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = costs[column + 1];
            costs[column + 1] = replaced.min(diagonal + 1).min(costs[column] + 1);
        }
    }
    costs[to.len()]
}

/// The error for a bare expression that can be no value.
pub(super) fn bare(which: Macro, expr: &Expr) -> String {
    match (which, literal(expr)) {
        (Macro::Cacheable, Some(Lit::Str(text))) if duration::parse(&text.value()).is_ok() => {
            format!(
                "a bare text could be a key or a time: write `ttl = \"{}\"`",
                text.value()
            )
        }
        (_, Some(Lit::Str(text))) => format!(
            "a bare text could be a key or a time: write `key = \"{}\"`",
            text.value()
        ),
        _ => format!(
            "a value needs its name: write `ttl = …`; the options are {}",
            listed(names(which))
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_another_system_says_what_to_write() {
        assert!(unknown(Macro::Cacheable, "expire").contains("write `ttl = \"10m\"`"));
        assert!(unknown(Macro::Cacheable, "sync_writes").contains("stampede_protection"));
        assert!(!unknown(Macro::Put, "sync_writes").contains("stampede_protection"));
        assert!(unknown(Macro::Evict, "allEntries").contains("write `all`"));
        for (which, name, write) in [
            (Macro::Cacheable, "tag", "`tags = ["),
            (Macro::Cacheable, "namespace", "region = \"shop\""),
            (Macro::Cacheable, "invalidate_tags", "#[cache_evict(tags"),
            (Macro::Put, "tenant", "`scope = "),
            (Macro::Evict, "cache_tags", "`tags = ["),
            (Macro::Evict, "group", "`region = "),
            (Macro::Evict, "owner", "`scope = "),
        ] {
            let message = unknown(which, name);
            assert!(message.contains(write), "{name}: {message}");
        }
    }

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        assert!(unknown(Macro::Cacheable, "verison").contains("did you mean `version`?"));
        assert!(!unknown(Macro::Cacheable, "zebra").contains("did you mean"));
    }

    #[test]
    fn an_option_of_another_attribute_names_its_owner() {
        assert!(unknown(Macro::Cacheable, "pattern").contains("option of `cache_evict`"));
    }

    #[test]
    fn no_hint_shadows_an_option() {
        for (which, spellings) in [
            (Macro::Cacheable, STORING),
            (Macro::Put, STORING),
            (Macro::Evict, EVICTING),
        ] {
            for name in spellings.iter().flat_map(|(names, _)| names.split(' ')) {
                assert!(!names(which).any(|known| known == name), "{which:?} {name}");
            }
        }
    }
}
