//! The registry as it is kept on the server: its bound, and what is dropped from it.

use super::server::Ear;
use super::*;
use crate::bus::News;

const SITES: &str = "shop:#sites";
const HOUR: u64 = 3_600_000;

fn regions(removed: Removed) -> Option<Vec<String>> {
    let mut regions: Vec<_> = removed.regions?.into_iter().map(String::from).collect();
    regions.sort();
    Some(regions)
}

async fn read(tier: &RedisTier) -> Option<Vec<String>> {
    regions(remove_labels(tier, Manner::Evict, &[], Duration::ZERO).await)
}

#[tokio::test]
async fn who_has_no_template_registers_none_and_is_answered_by_a_full_server() {
    let server = Server::start();
    let tier = tier(&server);
    let ask = Labels {
        register: Some(Register::Nothing),
        ..Labels::default()
    };
    let cache = async || tier.labelled(ask, SOON).await.unwrap().cache.unwrap();
    let first = is(cache().await);
    assert_eq!(read(&tier).await, Some(Vec::new()));
    assert_eq!(server.ask(&["HLEN", SITES]), ":1\r\n", "the generation");
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(is(cache().await), first);
}

#[tokio::test]
async fn a_registry_without_a_generation_decides_nothing() {
    let server = Server::start();
    let tier = tier(&server);
    assert_eq!(read(&tier).await, None);
    register(&tier, "a").await;
    server.ask(&["HDEL", SITES, "#gen"]);
    assert_eq!(read(&tier).await, None);
    server.ask(&["DEL", SITES]);
    server.ask(&["SET", SITES, "somebody else's"]);
    assert_eq!(read(&tier).await, None);
    assert_eq!(standing(&tier, &Label::cache()).await, Standing::Missing);
}

#[tokio::test]
async fn an_unreadable_generation_is_replaced() {
    let server = Server::start();
    let tier = tier(&server);
    let text = "somebody else's text, as long as a generation is";
    for broken in ["", "g", "h", "hello", "h12 o'clock", text] {
        server.ask(&["HSET", SITES, "#gen", broken]);
        assert_eq!(
            standing(&tier, &Label::cache()).await == Standing::Held,
            broken == "h"
        );
        is(register(&tier, "a").await);
    }
    server.ask(&["DEL", SITES, "shop:#clock"]);
    server.ask(&["SADD", "shop:#clock", "another type"]);
    is(register(&tier, "a").await);
}

#[tokio::test]
async fn regions_nobody_uses_any_more_are_dropped() {
    let server = Server::start();
    let tier = tier(&server);
    let now = tier.now();
    let (long_ago, not_over) = ((now - HOUR).to_string(), (now + HOUR).to_string());
    server.ask(&["HSET", SITES, "oldest", &long_ago]);
    register(&tier, "used").await;
    assert_eq!(read(&tier).await.unwrap(), ["used"], "a first time");
    server.ask(&["HSET", SITES, "old", &long_ago, "recent", &not_over]);
    register(&tier, "used").await;
    assert!(
        read(&tier).await.unwrap().contains(&"old".to_owned()),
        "not yet"
    );

    server.ask(&["HSET", SITES, "#swept", &long_ago]);
    register(&tier, "used").await;
    assert_eq!(read(&tier).await.unwrap(), ["recent", "used"]);
}

/// When a region is over.
fn over(server: &Server, region: &str) -> u64 {
    let answer = server.ask(&["HGET", SITES, region]);
    answer.lines().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_region_is_kept_longer_than_the_longest_entry_below_it() {
    let server = Server::start();
    let tier = tier(&server);
    for (hours, kept) in [(1, 1), (24, 24), (1, 24)] {
        let ask = Labels {
            register: Some(Register::Region("a")),
            life: Duration::from_secs(hours * 3600),
            ..Labels::default()
        };
        tier.labelled(ask, SOON).await.unwrap();
        let left = over(&server, "a") - tier.now();
        assert!(left > (kept + 1) * HOUR && left < (kept + 3) * HOUR);
    }
}

/// What was over half an hour after the registry was last looked through, `hours` ago by the server's clock.
async fn left_after(hours: i64) -> u64 {
    let server = Server::start();
    let tier = tier(&server);
    let now = tier.now();
    let swept = now.saturating_add_signed(-hours * HOUR.cast_signed());
    let generation = register(&tier, "used").await;
    let stamp = (swept + HOUR / 2).to_string();
    server.ask(&["HSET", SITES, "other", &stamp, "#swept", &swept.to_string()]);
    assert_eq!(register(&tier, "used").await, generation);
    assert_eq!(read(&tier).await.unwrap(), ["other", "used"]);
    over(&server, "other") - now
}

/// Nobody registers again while the clock jumps, and what was registered is believed for an hour all the same.
#[tokio::test]
async fn a_clock_that_was_set_forward_drops_nothing() {
    let left = left_after(5).await;
    assert!((HOUR / 2..HOUR).contains(&left), "{left}");
}

/// The entries below a region live until the moment at which they were to end, which is further away now; so is the region's.
#[tokio::test]
async fn a_clock_that_was_set_back_drops_nothing_before_its_time() {
    let left = left_after(-5).await;
    assert!((5 * HOUR..6 * HOUR).contains(&left), "{left}");
}

/// The last look was at a time that is still to come: it is no reason to keep what is over.
#[tokio::test]
async fn a_clock_that_was_set_back_keeps_nothing_that_is_over() {
    let server = Server::start();
    let tier = tier(&server);
    register(&tier, "used").await;
    let now = tier.now();
    let (over, later) = ((now - HOUR).to_string(), (now + 5 * HOUR).to_string());
    server.ask(&["HSET", SITES, "old", &over, "#swept", &later]);
    register(&tier, "used").await;
    assert_eq!(read(&tier).await.unwrap(), ["used"]);
}

#[tokio::test]
async fn the_registry_is_bounded_and_then_stands_for_any_key() {
    let server = Server::start();
    let tier = tier(&server);
    register(&tier, "first").await;
    let stamp = tier.now().to_string();
    let regions: Vec<_> = (0..1000).map(|n| format!("r{n}")).collect();
    let mut words = vec!["HSET", SITES];
    for region in &regions {
        words.extend([region.as_str(), &stamp]);
    }
    server.ask(&words);
    let before = server.ask(&["HLEN", SITES]);
    is(register(&tier, "first").await);
    assert_eq!(server.ask(&["HLEN", SITES]), before);
    for region in ["a", "b", "c"] {
        is(register(&tier, region).await);
    }
    assert_eq!(integer(&server.ask(&["HLEN", SITES])), integer(&before) + 1);
    assert!(read(&tier).await.unwrap().contains(&String::new()));
}

#[tokio::test]
async fn a_registry_that_was_lost_is_made_anew_and_told() {
    let server = Server::start();
    let tier = tier(&server);
    let first = is(register(&tier, "products:list").await);
    let mut ear = Ear::at(&server);
    server.ask(&["DEL", SITES]);
    assert_eq!(standing(&tier, &Label::cache()).await, Standing::Missing);
    let second = is(register(&tier, "users").await);
    assert!(second.evict != first.evict && second.expire != first.expire);
    assert!(!second.made.not_after(first.made), "it is an event");
    let said: Vec<_> = ear.heard(&server).into_iter().map(|it| it.news).collect();
    assert_eq!(said, [News::Anew]);
    assert_eq!(read(&tier).await.unwrap(), ["users"]);
}

#[tokio::test]
async fn the_registry_has_no_end() {
    let server = Server::start();
    let tier = tier(&server);
    register(&tier, "a").await;
    remove_labels(&tier, Manner::Evict, &[&Label::cache()], Duration::ZERO).await;
    assert_eq!(integer(&server.ask(&["PTTL", SITES])), -1);
}
