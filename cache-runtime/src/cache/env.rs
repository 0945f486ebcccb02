//! A builder filled from the environment.

use std::{env, time::Duration};

use super::{
    Cache, CacheBuilder,
    builder::{A_NAME, is_name},
};
use crate::{error::BuildError, policy::Policy, tiers::memory::Memory};

pub(super) fn builder() -> Result<CacheBuilder, BuildError> {
    let name = text("CACHE_NAME")?.unwrap_or_else(|| "cache".to_owned());
    if !is_name(&name) {
        return Err(bad("CACHE_NAME", &name, A_NAME));
    }
    let mut builder = Cache::builder(name);
    let mut defaults = Policy::new();
    if let Some(ttl) = text("CACHE_TTL")? {
        defaults = defaults.ttl(duration("CACHE_TTL", &ttl)?);
    }
    if let Some(jitter) = text("CACHE_JITTER")? {
        let share = jitter
            .parse()
            .ok()
            .filter(|share| (0.0..=1.0).contains(share));
        let share: f64 =
            share.ok_or_else(|| bad("CACHE_JITTER", &jitter, "a number from 0 to 1"))?;
        defaults = defaults.jitter(share);
    }
    if let Some(entries) = text("CACHE_MAX_ENTRIES")? {
        let count = entries.parse().ok().filter(|&count: &usize| count > 0);
        let count =
            count.ok_or_else(|| bad("CACHE_MAX_ENTRIES", &entries, "a whole number above 0"))?;
        builder = builder.memory(Memory::new().max_entries(count));
    }
    if let Some(url) = text("REDIS_URL")? {
        builder = builder.redis_from("REDIS_URL", url);
    }
    Ok(builder.defaults(defaults))
}

/// A variable's text; unset and empty are the same.
fn text(variable: &str) -> Result<Option<String>, BuildError> {
    match env::var(variable) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(text)),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(BuildError(format!(
            "the environment variable {variable} is not unicode"
        ))),
    }
}

fn bad(variable: &str, value: &str, wanted: &str) -> BuildError {
    BuildError(format!(
        "the environment variable {variable} is `{value}`; it must be {wanted}"
    ))
}

/// Seconds (`600`), or numbers with units (`1h30m`, `250ms`), by the rules of the attributes; zero would store nothing.
fn duration(variable: &str, value: &str) -> Result<Duration, BuildError> {
    const WANTED: &str = "seconds (`600`) or a duration (`1h30m`, `250ms`), more than zero";
    parse_duration(value)
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| bad(variable, value, WANTED))
}

const UNITS: [(&str, u64); 7] = [
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Whole numbers with units, the larger unit first and each at most once.
fn parse_duration(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let (mut rest, mut units, mut nanos) = (text, &UNITS[..], 0_u64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let amount: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let unit = units.iter().position(|(name, _)| *name == &rest[..end])?;
        nanos = nanos.checked_add(amount.checked_mul(units[unit].1)?)?;
        units = &units[unit + 1..];
        rest = &rest[end..];
    }
    (!text.is_empty()).then(|| Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse_duration;

    #[test]
    fn durations_are_seconds_or_numbers_with_units() {
        assert_eq!(parse_duration("90"), Some(Duration::from_secs(90)));
        assert_eq!(parse_duration("1h30m"), Some(Duration::from_secs(5_400)));
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(
            parse_duration("1us500ns"),
            Some(Duration::from_nanos(1_500))
        );
        for bad in [
            "",
            "h",
            "1x",
            "-1",
            "1h30",
            "30m1h",
            "1h1h",
            "1.5s",
            "999999999999999999999d",
        ] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
