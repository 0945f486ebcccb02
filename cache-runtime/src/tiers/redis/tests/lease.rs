//! What the scripts of leases make of what is not ours, and of a server that is full.

use super::server::Ear;
use super::*;
use crate::tiers::Eviction;

async fn evict(tier: &RedisTier, key: &str, hold: Duration) {
    tier.evict(&[Eviction { key, hold }], SOON).await.unwrap();
}

#[tokio::test]
async fn a_hold_without_an_end_is_not_given_one() {
    let server = Server::start();
    let tier = tier(&server);
    server.ask(&["SET", "shop:{a}:hold", ""]);
    evict(&tier, "a", Duration::from_secs(20)).await;
    assert_eq!(server.ask(&["PTTL", "shop:{a}:hold"]), ":-1\r\n");
}

#[tokio::test]
async fn a_hold_that_comes_while_a_lease_stands_refuses_its_store() {
    let server = Server::start();
    let tier = tier(&server);
    let token = Token::random();
    tier.acquire("a", load(token), SOON).await.unwrap();
    server.ask(&["SET", "shop:{a}:hold", "", "PX", "60000"]);
    assert_eq!(store(&tier, "a", token, 1).await.unwrap(), Stored::Held);
    let found = tier.inspect("a", SOON).await.unwrap();
    assert_eq!((found.value, found.leased), (None, false));
}

#[tokio::test]
async fn foreign_values_are_led_over_and_overwritten() {
    let server = Server::start();
    let tier = tier(&server);
    for (key, write) in [
        ("set", &["SADD", "shop:{set}", "x"][..]),
        ("list", &["RPUSH", "shop:{list}", "x"][..]),
        ("short", &["SET", "shop:{short}", "hello"][..]),
    ] {
        server.ask(write);
        fill(&tier, key).await;
        assert!(tier.get(key, SOON).await.unwrap().is_some(), "{key}");
    }
}

#[tokio::test]
async fn a_foreign_text_has_no_version() {
    let server = Server::start();
    let tier = tier(&server);
    let text = "somebody else's text, longer than a header";
    server.ask(&["SET", "shop:{a}", text]);
    let token = Token::random();
    let mut ask = load(token);
    ask.seen = Some(Token::of_stored(text.as_bytes()));
    assert_eq!(tier.acquire("a", ask, SOON).await.unwrap(), Acquired::Lead);
    assert_eq!(store(&tier, "a", token, 1).await.unwrap(), Stored::Stored);
}

#[tokio::test]
async fn another_type_reads_as_nothing_and_is_counted() {
    let server = Server::start();
    let tier = tier(&server);
    server.ask(&["SADD", "shop:{a}", "x"]);
    assert_eq!(tier.get("a", SOON).await.unwrap(), None);
    assert_eq!(tier.inspect("a", SOON).await.unwrap().value, None);
    assert_eq!(tier.foreign_types(), 1);
}

#[tokio::test]
async fn a_foreign_lease_does_not_bar_the_key() {
    let server = Server::start();
    let tier = tier(&server);
    for foreign in [
        &["SADD", "shop:{a}:lease", "x"][..],
        &["SET", "shop:{a}:lease", "somebody else's text"],
        &["SET", "shop:{a}:lease", "short", "PX", "100000"],
    ] {
        server.ask(&["FLUSHALL"]);
        server.ask(foreign);
        let token = Token::random();
        assert!(!tier.renew("a", token, LEASE, SOON).await.unwrap());
        assert!(!tier.give_back("a", token, SOON).await.unwrap());
        assert!(!tier.fail("a", token, LEASE, SOON).await.unwrap());
        assert_eq!(server.ask(&["EXISTS", "shop:{a}:failed"]), ":0\r\n");
        assert_eq!(store(&tier, "a", token, 1).await.unwrap(), Stored::Refused);
        fill(&tier, "a").await;
    }
}

#[tokio::test]
async fn the_empty_key_is_a_key() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "").await;
    assert_eq!(server.ask(&["EXISTS", "shop:{%}"]), ":1\r\n");
}

#[tokio::test]
async fn evictions_and_releases_work_when_memory_is_full() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "a").await;
    let token = Token::random();
    tier.acquire("b", load(token), SOON).await.unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);

    let full = store(&tier, "b", token, 1).await.unwrap_err();
    assert_eq!(full.kind, crate::tiers::ErrorKind::Refused);
    assert!(full.text.contains("OOM"), "{full}");
    assert!(tier.acquire("c", load(token), SOON).await.is_err());
    assert!(tier.get("a", SOON).await.unwrap().is_some());
    assert!(tier.give_back("b", token, SOON).await.unwrap());
    evict(&tier, "a", Duration::from_secs(9)).await;
    let found = tier.inspect("a", SOON).await.unwrap();
    assert!(found.value.is_none() && found.hold.is_some());
}

#[tokio::test]
async fn a_note_that_is_not_ours_or_never_ends_bars_nobody() {
    let server = Server::start();
    let tier = tier(&server);
    for foreign in [
        &["SADD", "shop:{a}:failed", "x"][..],
        &["SET", "shop:{a}:failed", "somebody else's text"],
    ] {
        server.ask(&["FLUSHALL"]);
        server.ask(foreign);
        let token = Token::random();
        let mut ask = load(token);
        ask.heeds_failures = true;
        assert_eq!(tier.acquire("a", ask, SOON).await.unwrap(), Acquired::Lead);
        assert!(tier.fail("a", token, LEASE, SOON).await.unwrap());
        let told = tier.acquire("a", ask, SOON).await.unwrap();
        assert!(matches!(told, Acquired::Failed { .. }), "{told:?}");
        let left = integer(&server.ask(&["PTTL", "shop:{a}:failed"]));
        assert!((1..=3_000).contains(&left), "{left}");
    }
}

/// What is deleted first makes room for the note, as for the hold of an eviction.
#[tokio::test]
async fn a_load_that_fails_gives_its_lease_back_and_is_noted_when_memory_is_full() {
    let server = Server::start();
    let mut ear = Ear::at(&server);
    let tier = tier(&server);
    let token = Token::random();
    let mut ask = load(token);
    assert_eq!(tier.acquire("a", ask, SOON).await.unwrap(), Acquired::Lead);
    ask.token = Token::random();
    ask.waits = true;
    let held = tier.acquire("a", ask, SOON).await.unwrap();
    assert_eq!(held, Acquired::Held { by_put: false });
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(tier.fail("a", token, LEASE, SOON).await.unwrap());
    assert_eq!(server.ask(&["EXISTS", "shop:{a}:failed"]), ":1\r\n");
    assert!(!tier.inspect("a", SOON).await.unwrap().leased);
    assert_eq!(ear.heard(&server).len(), 1, "who waits is told");
}
