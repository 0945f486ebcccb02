use std::time::SystemTime;

use super::*;
use crate::observe::{Count, Counters, Histogram};

const SECOND: Duration = Duration::from_secs(1);

/// A cache with Redis in which all is well.
fn well() -> Facts {
    let mut stats = Stats::default();
    stats.redis.connected = Some(true);
    let since = SystemTime::UNIX_EPOCH;
    Facts {
        stats,
        terms: Vec::new(),
        health: Health {
            redis: RedisHealth::Connected { since },
            bus: BusHealth::Listening,
            queued_evictions: 0,
        },
        redis_budget: SECOND / 10,
        redis_url: true,
        servers: Ok(vec![ServerFacts {
            version: Some((7, 2)),
            max_memory: Some(1_000),
            used_memory: Some(999),
            policy: Some("allkeys-lru".into()),
        }]),
    }
}

/// The same with memory only.
fn alone() -> Facts {
    let mut facts = well();
    facts.stats.redis.connected = None;
    facts.health.redis = RedisHealth::NotConfigured;
    facts.health.bus = BusHealth::NotConfigured;
    facts.redis_url = false;
    facts.servers = Ok(Vec::new());
    facts
}

/// With a site whose loads take so long.
fn loading(mut facts: Facts, terms: Terms, takes: Duration, counted: &[(Count, u64)]) -> Facts {
    let counters = Counters::of("site");
    (0..SOME_LOADS).for_each(|_| counters.loaded_in(takes));
    for (count, number) in counted {
        (0..*number).for_each(|_| counters.add(*count));
    }
    facts
        .stats
        .sites
        .insert("site".to_owned(), counters.snapshot());
    facts.terms.push(("site".to_owned(), terms));
    facts
}

fn server(change: impl FnOnce(&mut ServerFacts)) -> Facts {
    let mut facts = well();
    change(&mut facts.servers.as_mut().expect("it is known")[0]);
    facts
}

/// Nothing but this is found.
#[track_caller]
fn finds(facts: &Facts, severity: Severity, code: &str) -> Finding {
    let found = findings(facts);
    assert_eq!(found.len(), 1, "{found:?}");
    let finding = found.into_iter().next().expect("there is one");
    assert_eq!((finding.severity, finding.code), (severity, code));
    let text = finding.to_string();
    assert!(text.contains(&finding.what) && text.contains(finding.advice));
    finding
}

#[test]
fn nothing_is_found_where_all_is_well() {
    let terms = Terms {
        ttl: Some(60 * SECOND),
        negative_ttl: Some(SECOND),
        wait_timeout: Some(5 * SECOND),
        fleet: true,
        lacks_secret: false,
        lies_anywhere: false,
    };
    let counted = [(Count::L1Hit, 2_000), (Count::Miss, 10)];
    assert_eq!(findings(&loading(well(), terms, SECOND, &counted)), []);
    let terms = Terms {
        fleet: false,
        ..terms
    };
    assert_eq!(findings(&loading(alone(), terms, SECOND, &counted)), []);
}

#[test]
fn servers_that_endanger_what_they_hold_are_found() {
    let old = server(|it| it.version = Some((6, 0)));
    finds(&old, Severity::Error, "redis-too-old");
    assert_eq!(findings(&server(|it| it.version = Some((6, 2)))), []);
    let unbounded = server(|it| it.max_memory = Some(0));
    finds(&unbounded, Severity::Advice, "maxmemory-unset");
    for (policy, code) in [
        ("volatile-ttl", "maxmemory-takes-leases"),
        ("allkeys-random", "maxmemory-takes-anything"),
        ("volatile-random", "maxmemory-takes-anything"),
        ("noeviction", "redis-full"),
    ] {
        let facts = server(|it| it.policy = Some(policy.into()));
        finds(&facts, Severity::Warning, code);
    }
    let refuses = server(|it| {
        it.policy = Some("noeviction".into());
        it.used_memory = Some(100);
    });
    finds(&refuses, Severity::Advice, "maxmemory-refuses");
    let mut silent = well();
    silent.servers = Err("NOPERM".to_owned());
    finds(&silent, Severity::Advice, "server-unknown");
    // What is not known is not judged, and what two servers say is said once.
    let mut unknown = well();
    unknown.servers = Ok(vec![ServerFacts::default()]);
    assert_eq!(findings(&unknown), []);
    let mut two = server(|it| it.max_memory = Some(0));
    let servers = two.servers.as_mut().expect("it is known");
    servers.push(servers[0].clone());
    finds(&two, Severity::Advice, "maxmemory-unset");
}

#[test]
fn a_redis_that_is_not_used_as_meant_is_found() {
    let mut unused = alone();
    unused.redis_url = true;
    finds(&unused, Severity::Warning, "redis-url-unused");
    let since = SystemTime::UNIX_EPOCH;
    let mut down = well();
    let why = "refused".to_owned();
    down.health.redis = RedisHealth::Down { since, why };
    finds(&down, Severity::Error, "redis-down");
    let mut degraded = well();
    let missing = vec!["SCAN: costs".to_owned()];
    degraded.health.redis = RedisHealth::Degraded { since, missing };
    finds(&degraded, Severity::Warning, "redis-degraded");
    let mut deaf = well();
    let why = "NOPERM".to_owned();
    deaf.health.bus = BusHealth::Unsupported { why };
    finds(&deaf, Severity::Warning, "bus-unsupported");
    let mut slow = well();
    slow.stats.redis.round_trips = Histogram::made_of(SECOND / 12, 100);
    finds(&slow, Severity::Warning, "budget-too-small");
}

#[test]
fn sites_that_gain_little_are_found() {
    let none = Terms::default();
    let terms = Terms {
        ttl: Some(SECOND),
        ..none
    };
    let found = finds(
        &loading(well(), terms, 2 * SECOND, &[]),
        Severity::Warning,
        "ttl-shorter-than-load",
    );
    assert_eq!(found.site.as_deref(), Some("site"));
    finds(
        &loading(well(), none, 40 * SECOND, &[]),
        Severity::Error,
        "load-too-long",
    );
    assert_eq!(findings(&loading(alone(), none, 40 * SECOND, &[])), []);
    let terms = Terms {
        wait_timeout: Some(SECOND),
        ..none
    };
    let waits = loading(well(), terms, 2 * SECOND, &[(Count::WaitTimeout, 1)]);
    finds(&waits, Severity::Warning, "wait-shorter-than-load");
    let terms = Terms {
        ttl: Some(SECOND),
        negative_ttl: Some(2 * SECOND),
        ..none
    };
    let negative = loading(well(), terms, SECOND / 10, &[]);
    finds(&negative, Severity::Advice, "negative-ttl-longer");
    let terms = Terms {
        fleet: true,
        ..none
    };
    let fleet = loading(alone(), terms, SECOND / 10, &[]);
    finds(&fleet, Severity::Warning, "fleet-without-redis");
    let terms = Terms {
        lacks_secret: true,
        ..none
    };
    let secret = loading(well(), terms, SECOND / 10, &[]);
    finds(&secret, Severity::Error, "secret-without-key");
    let terms = Terms {
        lies_anywhere: true,
        ..none
    };
    let mut anywhere = loading(well(), terms, SECOND / 10, &[]);
    finds(&anywhere, Severity::Advice, "key-without-region");
    anywhere.stats.total.evicted_regions = 1;
    finds(&anywhere, Severity::Warning, "key-without-region");
    let in_memory = loading(alone(), terms, SECOND / 10, &[]);
    assert_eq!(findings(&in_memory), [], "nothing is scanned or held there");
    let large = loading(well(), none, SECOND / 10, &[(Count::Oversized, 1)]);
    finds(&large, Severity::Warning, "never-stored");
    let missing = loading(well(), none, SECOND / 10, &[(Count::Miss, 2_000)]);
    finds(&missing, Severity::Advice, "rarely-hit");
}

#[test]
fn the_worst_comes_first() {
    let mut facts = server(|it| {
        it.max_memory = Some(0);
        it.version = Some((5, 0));
    });
    facts.health.bus = BusHealth::Unsupported { why: String::new() };
    let severities: Vec<_> = findings(&facts).iter().map(|it| it.severity).collect();
    assert_eq!(
        severities,
        [Severity::Error, Severity::Warning, Severity::Advice]
    );
}

#[test]
fn documented_codes_are_those_of_the_rules() {
    let text = include_str!("../../../../docs/observability.md");
    let table = text.split("\n## Findings").nth(1).expect("it has them");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut documented: Vec<_> = rows.filter_map(|row| row.split('`').next()).collect();
    let rules = include_str!("../findings.rs");
    let is_code = |text: &&str| {
        text.contains('-') && text.chars().all(|c| c == '-' || c.is_ascii_lowercase())
    };
    let known = ["volatile-ttl", "allkeys-random", "volatile-random"];
    let mut made: Vec<_> = rules.split('"').filter(is_code).collect();
    made.retain(|code| !known.contains(code));
    documented.sort_unstable();
    made.sort_unstable();
    made.dedup();
    assert_eq!(documented, made);
}
