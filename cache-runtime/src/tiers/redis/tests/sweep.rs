//! Evicting by pattern.

use super::server::{Ear, Tap};
use super::*;
use crate::bus::{Gone, News};

#[tokio::test]
async fn a_sweep_takes_what_matches_and_nothing_else() {
    let server = Server::start();
    let tier = tier(&server);
    for key in ["list:1", "list:2", "lists:1", "list", "other:list:1"] {
        fill(&tier, key).await;
    }
    server.ask(&["SET", "shop2:{list:1}", "another cache's"]);
    server.ask(&["SET", "shop:{list:1}:hold", "", "PX", "60000"]);
    server.ask(&["SET", "shop:{list:}x}", "nobody's"]);
    let gone = tier.sweep(&Pattern::parse("list:*"), SOON).await.unwrap();
    assert_eq!(gone, 2);
    for (key, left) in [
        ("list:1", false),
        ("list:2", false),
        ("lists:1", true),
        ("list", true),
        ("other:list:1", true),
    ] {
        assert_eq!(tier.get(key, SOON).await.unwrap().is_some(), left, "{key}");
    }
    for key in ["shop2:{list:1}", "shop:{list:1}:hold", "shop:{list:}x}"] {
        assert_eq!(server.ask(&["EXISTS", key]), ":1\r\n", "{key}");
    }
}

#[tokio::test]
async fn the_exact_match_is_made_here() {
    let server = Server::start();
    let tier = tier(&server);
    for key in ["list:1", "list:22", "list:a%2Ab"] {
        fill(&tier, key).await;
    }
    let gone = tier.sweep(&Pattern::parse("list:?"), SOON).await.unwrap();
    assert_eq!(gone, 1);
    assert_eq!(tier.get("list:1", SOON).await.unwrap(), None);
}

#[tokio::test]
async fn a_sweep_breaks_leases() {
    let server = Server::start();
    let tier = tier(&server);
    let (matching, other) = (Token::random(), Token::random());
    tier.acquire("list:1", load(matching), SOON).await.unwrap();
    tier.acquire("item:1", load(other), SOON).await.unwrap();
    assert_eq!(
        tier.sweep(&Pattern::parse("list:*"), SOON).await.unwrap(),
        0
    );
    assert_eq!(
        store(&tier, "list:1", matching, 1).await.unwrap(),
        Stored::Refused
    );
    assert_eq!(
        store(&tier, "item:1", other, 1).await.unwrap(),
        Stored::Stored
    );
}

#[tokio::test]
async fn leases_go_before_values() {
    let server = Server::start();
    let tier = tier(&server);
    let token = Token::random();
    fill(&tier, "list:1").await;
    tier.acquire("list:2", load(token), SOON).await.unwrap();
    let monitor = super::server::monitor(&server);
    tier.sweep(&Pattern::parse("list:*"), SOON).await.unwrap();
    server.ask(&["ECHO", "the end"]);

    let seen = super::server::lines_until(monitor, "the end");
    let unlinked: Vec<_> = seen
        .iter()
        .filter(|line| line.contains("\"UNLINK\""))
        .collect();
    assert_eq!(unlinked.len(), 2, "{seen:#?}");
    assert!(unlinked[0].contains("shop:{list:2}:lease"), "{seen:#?}");
    assert!(unlinked[1].ends_with("\"shop:{list:1}\""), "{seen:#?}");
}

/// In one pass, or over the values first, it would store behind the cursor before its lease is found.
#[tokio::test]
async fn a_load_begun_before_a_sweep_leaves_nothing_behind_its_cursor() {
    const LOADS: usize = 300;
    let server = Server::start();
    let tier = tier(&server);
    // So many batches that the stores come between them.
    let others: Vec<_> = (0..30_000).map(|n| format!("other:{n}")).collect();
    let mut words = vec!["MSET"];
    words.extend(others.iter().flat_map(|other| [other.as_str(), "x"]));
    server.ask(&words);
    let loads: Vec<_> = (0..LOADS)
        .map(|n| (format!("list:{n}"), Token::random()))
        .collect();
    for (key, token) in &loads {
        tier.acquire(key, load(*token), SOON).await.unwrap();
    }
    let stores = async {
        for (key, token) in &loads {
            store(&tier, key, *token, 1).await.unwrap();
        }
    };
    let pattern = Pattern::parse("list:*");
    let (swept, ()) = tokio::join!(tier.sweep(&pattern, SOON), stores);
    swept.unwrap();
    let mut left = Vec::new();
    for (key, _) in &loads {
        left.extend(tier.get(key, SOON).await.unwrap().map(|_| key));
    }
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_digested_key_is_swept_where_its_region_can_match() {
    let server = Server::start();
    let tier = tier(&server);
    let digested = format!("list:#{}", "0f".repeat(16));
    fill(&tier, &digested).await;
    fill(&tier, "item:1").await;
    tier.sweep(&Pattern::parse("list:someone:*"), SOON)
        .await
        .unwrap();
    assert_eq!(tier.get(&digested, SOON).await.unwrap(), None);
    assert!(tier.get("item:1", SOON).await.unwrap().is_some());
}

#[tokio::test]
async fn everything_means_every_entry_of_this_cache() {
    let server = Server::start();
    let tier = tier(&server);
    let weird = [
        "", "%2A", "a%3Ab:c", "%7B%7D", "ключ", "a%20b", "'", "~", "(1,2,)", "%25",
    ];
    for key in weird {
        fill(&tier, key).await;
    }
    for n in 0..3000 {
        server.ask(&["SET", &format!("neighbour:{n}"), "x"]);
        if n % 3 == 0 {
            server.ask(&["SET", &format!("shop:{{bulk:{n}}}"), "x"]);
        }
    }
    let gone = tier.sweep(&Pattern::parse("*"), SOON).await.unwrap();
    assert_eq!(gone, 1000 + weird.len() as u64);
    assert_eq!(server.ask(&["DBSIZE"]), ":3000\r\n");
}

#[tokio::test]
async fn a_sweep_of_a_dead_server_fails() {
    let mut server = Server::start();
    let tier = tier(&server);
    assert!(tier.connected_within(SOON).await);
    server.kill();
    assert!(tier.sweep(&Pattern::parse("*"), SOON).await.is_err());
}

#[tokio::test]
async fn expire_keeps_values_and_breaks_leases() {
    let server = Server::start();
    let tier = tier(&server);
    let mut ear = Ear::at(&server);
    let token = Token::random();
    for key in ["list:1", "list:2", "item:1"] {
        fill(&tier, key).await;
    }
    server.ask(&["SET", "shop:{list:3}", "somebody else's text, a long one"]);
    let cut_off = fill_cut_off(&tier, "list:5").await;
    tier.acquire("list:4", load(token), SOON).await.unwrap();
    let pattern = Pattern::parse("list:*");
    let marked = Tier::sweep(&tier, &pattern, Manner::Expire, SOON).await;
    assert_eq!(marked.unwrap(), 2);
    for (key, expired) in [("list:1", 1), ("list:2", 1), ("item:1", 0)] {
        let found = tier.inspect(key, SOON).await.unwrap();
        assert_eq!(found.value.unwrap()[21], expired, "{key}");
        assert!(found.remaining.unwrap() > LIFE / 2);
    }
    let left = tier.get("list:5", SOON).await.unwrap().unwrap();
    assert_eq!(left, cut_off, "nothing is made longer");
    let stored = store(&tier, "list:4", token, 1).await.unwrap();
    assert_eq!(stored, Stored::Refused);
    let said: Vec<_> = ear.heard(&server).into_iter().map(|it| it.news).collect();
    let expected = News::Gone(Gone {
        manner: Manner::Expire,
        patterns: vec![pattern],
        ..Gone::default()
    });
    assert_eq!(said, [expected]);
}

#[tokio::test]
async fn a_sweep_is_announced_once_when_it_is_done() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "list:1").await;
    let monitor = super::server::monitor(&server);
    tier.sweep(&Pattern::parse("list:*"), SOON).await.unwrap();
    server.ask(&["ECHO", "the end"]);
    let seen = super::server::lines_until(monitor, "the end");
    let says = |line: &&String| line.contains("\"PUBLISH\"");
    assert_eq!(seen.iter().filter(says).count(), 1, "{seen:#?}");
    assert!(seen.last().as_ref().is_some_and(says), "{seen:#?}");
}

#[tokio::test]
async fn a_sweep_nobody_could_be_told_of_fails() {
    let server = Server::start();
    let tap = Tap::before(&server, Some("$7\r\nPUBLISH"));
    let tier = tap.tier().await;
    fill(&tier, "list:1").await;
    let swept = tier.sweep(&Pattern::parse("list:*"), SOON).await;
    assert_eq!(
        swept.unwrap_err().kind,
        crate::tiers::ErrorKind::Unavailable
    );
}
