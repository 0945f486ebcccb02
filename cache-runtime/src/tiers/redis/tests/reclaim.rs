//! Freeing what is dead.

use super::*;

async fn kept(tier: &RedisTier, key: &str) -> bool {
    tier.get(key, SOON).await.unwrap().is_some()
}

#[tokio::test]
async fn only_the_dead_below_the_region_are_freed() {
    let server = Server::start();
    let tier = tier(&server);
    let digested = format!("list:#{}", "0f".repeat(16));
    for key in [
        "list",
        "list:1",
        "list:2:x",
        &digested,
        "lists:1",
        "other:list:1",
        "",
    ] {
        fill(&tier, key).await;
    }
    let leased = Token::random();
    tier.acquire("list:3", load(leased), SOON).await.unwrap();
    server.ask(&["SET", "shop:{list:4}", "short"]);
    server.ask(&["SADD", "shop:{list:5}", "another type"]);
    let dead = |key: &str, _: &Bytes| key != "list:2:x";
    assert_eq!(tier.reclaim("list", &dead, SOON).await.unwrap(), 3);
    for (key, left) in [
        ("list", false),
        ("list:1", false),
        (&digested, false),
        ("list:2:x", true),
        ("lists:1", true),
        ("other:list:1", true),
        ("", true),
    ] {
        assert_eq!(kept(&tier, key).await, left, "{key}");
    }
    assert!(tier.renew("list:3", leased, LEASE, SOON).await.unwrap());
    assert_eq!(
        server.ask(&["EXISTS", "shop:{list:4}", "shop:{list:5}"]),
        ":2\r\n"
    );

    let all = |_: &str, _: &Bytes| true;
    assert_eq!(tier.reclaim("", &all, SOON).await.unwrap(), 4);
    assert!(tier.renew("list:3", leased, LEASE, SOON).await.unwrap());
}

#[tokio::test]
async fn the_first_bytes_are_shown() {
    let server = Server::start();
    let tier = tier(&server);
    let token = fill(&tier, "a").await;
    let shown = std::sync::Mutex::new(Vec::new());
    let look = |key: &str, first: &Bytes| {
        shown.lock().unwrap().push((key.to_owned(), first.clone()));
        false
    };
    assert_eq!(tier.reclaim("", &look, SOON).await.unwrap(), 0);
    let expected = ("a".to_owned(), Bytes::from(envelope(token, 1)));
    assert_eq!(*shown.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn what_was_stored_since_it_was_looked_at_stays() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "a:1").await;
    fill(&tier, "a:2").await;
    let newer = "another load's value, longer than a token";
    let replace = |key: &str, _: &Bytes| {
        if key == "a:1" {
            server.ask(&["SET", "shop:{a:1}", newer]);
        }
        true
    };
    assert_eq!(tier.reclaim("a", &replace, SOON).await.unwrap(), 1);
    assert_eq!(tier.get("a:1", SOON).await.unwrap().unwrap(), newer);
    assert!(!kept(&tier, "a:2").await);
}

#[tokio::test]
async fn many_are_freed_batch_by_batch() {
    let server = Server::start();
    let tier = tier(&server);
    let value = "x".repeat(20);
    let mut words = vec!["MSET".to_owned()];
    for n in 0..5000 {
        words.extend([format!("shop:{{a:{n}}}"), value.clone()]);
    }
    server.ask(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let even = |key: &str, _: &Bytes| key.ends_with(['0', '2', '4', '6', '8']);
    assert_eq!(tier.reclaim("a", &even, SOON).await.unwrap(), 2500);
    assert_eq!(server.ask(&["DBSIZE"]), ":2500\r\n");
}
