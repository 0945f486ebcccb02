//! Every outcome of every script.

use super::*;
use crate::tiers::Eviction;

async fn evict(tier: &RedisTier, key: &str, hold: Duration) {
    tier.evict(&[Eviction { key, hold }], SOON).await.unwrap();
}

#[tokio::test]
async fn a_value_is_led_stored_and_read() {
    let server = Server::start();
    let tier = tier(&server);
    assert_eq!(tier.get("a", SOON).await.unwrap(), None);
    let token = fill(&tier, "a").await;
    let stored = tier.get("a", SOON).await.unwrap().unwrap();
    assert_eq!(stored, envelope(token, 1));
    assert!(!tier.inspect("a", SOON).await.unwrap().leased);

    let other = tier
        .acquire("a", load(Token::random()), SOON)
        .await
        .unwrap();
    assert_eq!(other, Acquired::Value(stored));
}

#[tokio::test]
async fn a_seen_value_is_not_returned_again() {
    let server = Server::start();
    let tier = tier(&server);
    let token = fill(&tier, "a").await;
    let mut ask = load(Token::random());
    ask.seen = Some(Token::random());
    assert!(matches!(
        tier.acquire("a", ask, SOON).await.unwrap(),
        Acquired::Value(_)
    ));
    ask.seen = Some(token);
    assert_eq!(tier.acquire("a", ask, SOON).await.unwrap(), Acquired::Lead);
}

#[tokio::test]
async fn a_refresh_does_not_look_at_the_value() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "a").await;
    let mut ask = load(Token::random());
    ask.ignore_value = true;
    assert_eq!(tier.acquire("a", ask, SOON).await.unwrap(), Acquired::Lead);
}

#[tokio::test]
async fn a_second_load_is_told_who_leads() {
    let server = Server::start();
    let tier = tier(&server);
    let (first, second) = (Token::random(), Token::random());
    assert_eq!(
        tier.acquire("a", load(first), SOON).await.unwrap(),
        Acquired::Lead
    );
    let held = tier.acquire("a", load(second), SOON).await.unwrap();
    assert_eq!(held, Acquired::Held { by_put: false });
    assert_eq!(
        tier.acquire("a", put(second), SOON).await.unwrap(),
        Acquired::Lead
    );
    let held = tier
        .acquire("a", load(Token::random()), SOON)
        .await
        .unwrap();
    assert_eq!(held, Acquired::Held { by_put: true });
    // The put took the lease by force: the load it was taken from cannot store.
    assert_eq!(store(&tier, "a", first, 1).await.unwrap(), Stored::Refused);
    assert_eq!(store(&tier, "a", second, 1).await.unwrap(), Stored::Stored);
}

#[tokio::test]
async fn an_eviction_breaks_the_lease() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "a").await;
    let token = Token::random();
    let mut ask = load(token);
    ask.ignore_value = true;
    assert_eq!(tier.acquire("a", ask, SOON).await.unwrap(), Acquired::Lead);
    evict(&tier, "a", Duration::ZERO).await;
    assert_eq!(tier.get("a", SOON).await.unwrap(), None);
    assert_eq!(store(&tier, "a", token, 1).await.unwrap(), Stored::Refused);
    assert!(!tier.renew("a", token, LEASE, SOON).await.unwrap());
    assert!(!tier.give_back("a", token, SOON).await.unwrap());
    assert_eq!(server.ask(&["DBSIZE"]), ":0\r\n");
}

#[tokio::test]
async fn only_the_holder_renews_and_releases() {
    let server = Server::start();
    let tier = tier(&server);
    let token = Token::random();
    let mut ask = load(token);
    ask.lease = Duration::from_millis(500);
    tier.acquire("a", ask, SOON).await.unwrap();
    assert!(!tier.renew("a", Token::random(), LEASE, SOON).await.unwrap());
    assert!(tier.renew("a", token, LEASE, SOON).await.unwrap());
    let left = server.ask(&["PTTL", "shop:{a}:lease"]);
    let left: u64 = left.trim_matches([':', '\r', '\n']).parse().unwrap();
    assert!((2000..=3000).contains(&left), "{left}");
    assert!(!tier.give_back("a", Token::random(), SOON).await.unwrap());
    assert!(tier.give_back("a", token, SOON).await.unwrap());
    assert_eq!(server.ask(&["DBSIZE"]), ":0\r\n");
}

#[tokio::test]
async fn an_expired_lease_cannot_store() {
    let server = Server::start();
    let tier = tier(&server);
    let token = Token::random();
    let mut ask = load(token);
    ask.lease = Duration::from_millis(20);
    assert_eq!(tier.acquire("a", ask, SOON).await.unwrap(), Acquired::Lead);
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(store(&tier, "a", token, 1).await.unwrap(), Stored::Refused);
}

#[tokio::test]
async fn a_hold_refuses_stores_and_is_only_ever_extended() {
    let server = Server::start();
    let tier = tier(&server);
    evict(&tier, "a", Duration::from_secs(20)).await;
    evict(&tier, "a", Duration::from_secs(5)).await;
    evict(&tier, "a", Duration::ZERO).await;
    let hold = tier.inspect("a", SOON).await.unwrap().hold.unwrap();
    assert!(hold > Duration::from_secs(15), "{hold:?}");
    evict(&tier, "a", Duration::from_secs(40)).await;
    let hold = tier.inspect("a", SOON).await.unwrap().hold.unwrap();
    assert!(hold > Duration::from_secs(35), "{hold:?}");

    assert_eq!(
        tier.acquire("a", load(Token::random()), SOON)
            .await
            .unwrap(),
        Acquired::Hold
    );
    assert_eq!(
        tier.acquire("a", put(Token::random()), SOON).await.unwrap(),
        Acquired::Hold
    );
    assert!(!tier.inspect("a", SOON).await.unwrap().leased);
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
async fn an_entry_of_a_higher_version_is_left_alone() {
    let server = Server::start();
    let tier = tier(&server);
    for (there, mine, expected) in [
        (2, 1, Stored::Newer),
        (0x0100_0000, 0x00FF_FFFF, Stored::Newer),
        (2, 2, Stored::Stored),
        (0x00FF_FFFF, 0x0100_0000, Stored::Stored),
        (1, u32::MAX, Stored::Stored),
    ] {
        server.ask(&["FLUSHALL"]);
        let (older, newer) = (Token::random(), Token::random());
        tier.acquire("a", load(older), SOON).await.unwrap();
        store(&tier, "a", older, there).await.unwrap();
        let mut ask = load(newer);
        ask.seen = Some(older);
        assert_eq!(tier.acquire("a", ask, SOON).await.unwrap(), Acquired::Lead);
        assert_eq!(store(&tier, "a", newer, mine).await.unwrap(), expected);
        let found = tier.inspect("a", SOON).await.unwrap();
        assert!(!found.leased);
        let kept = if expected == Stored::Newer {
            older
        } else {
            newer
        };
        assert_eq!(Token::of_stored(&found.value.unwrap()), kept);
    }
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
async fn an_entry_that_was_cut_off_has_no_version() {
    let server = Server::start();
    let tier = tier(&server);
    let seen = fill_cut_off(&tier, "a").await;
    let token = Token::random();
    let mut ask = load(token);
    ask.seen = Some(Token::of_stored(&seen));
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
        assert_eq!(store(&tier, "a", token, 1).await.unwrap(), Stored::Refused);
        fill(&tier, "a").await;
    }
}

#[tokio::test]
async fn many_keys_go_in_chunks() {
    let server = Server::start();
    let tier = tier(&server);
    let keys: Vec<String> = (0..600).map(|n| format!("k:{n}")).collect();
    for key in keys.iter().step_by(97) {
        fill(&tier, key).await;
    }
    let all: Vec<_> = keys
        .iter()
        .map(|key| Eviction {
            key,
            hold: Duration::ZERO,
        })
        .collect();
    tier.evict(&all, SOON).await.unwrap();
    assert_eq!(server.ask(&["DBSIZE"]), ":0\r\n");
}

#[tokio::test]
async fn the_empty_key_is_a_key() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "").await;
    assert_eq!(server.ask(&["EXISTS", "shop:{%}"]), ":1\r\n");
}

#[tokio::test]
async fn lives_are_clamped_to_what_the_server_takes() {
    let server = Server::start();
    let tier = tier(&server);
    for life in [Duration::ZERO, Duration::from_micros(3), Duration::MAX] {
        let token = Token::random();
        tier.acquire("a", load(token), SOON).await.unwrap();
        let entry = Store {
            token,
            schema_version: 1,
            bytes: b"0123456789abcdef",
            life,
            announce: crate::tiers::Announce::Waiters,
        };
        assert_eq!(tier.store("a", entry, SOON).await.unwrap(), Stored::Stored);
        server.ask(&["FLUSHALL"]);
    }
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
