//! How evictions by pattern scan the server.

use super::server::Tap;
use super::*;

#[tokio::test]
async fn a_sweep_leaves_keys_that_are_not_ours() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "list:1").await;
    server.ask(&["SET", "shop2:{list:1}", "another cache's"]);
    server.ask(&["SET", "shop:{list:1}:hold", "", "PX", "60000"]);
    server.ask(&["SET", "shop:{list:}x}", "nobody's"]);
    let gone = tier.sweep(&Pattern::parse("list:*"), SOON).await.unwrap();
    assert_eq!(gone, 1);
    assert_eq!(tier.get("list:1", SOON).await.unwrap(), None);
    for key in ["shop2:{list:1}", "shop:{list:1}:hold", "shop:{list:}x}"] {
        assert_eq!(server.ask(&["EXISTS", key]), ":1\r\n", "{key}");
    }
}

#[tokio::test]
async fn everything_leaves_the_neighbours() {
    let server = Server::start();
    let tier = tier(&server);
    for n in 0..3000 {
        server.ask(&["SET", &format!("neighbour:{n}"), "x"]);
        if n % 3 == 0 {
            server.ask(&["SET", &format!("shop:{{bulk:{n}}}"), "x"]);
        }
    }
    let gone = tier.sweep(&Pattern::parse("*"), SOON).await.unwrap();
    assert_eq!(gone, 1000);
    assert_eq!(server.ask(&["DBSIZE"]), ":3000\r\n");
}

#[tokio::test]
async fn an_expiry_marks_no_foreign_text() {
    let server = Server::start();
    let tier = tier(&server);
    let text = "somebody else's text, a long one";
    server.ask(&["SET", "shop:{list:1}", text]);
    let pattern = Pattern::parse("list:*");
    let marked = Tier::sweep(&tier, &pattern, Manner::Expire, SOON).await;
    assert_eq!(marked.unwrap(), 0);
    assert_eq!(tier.get("list:1", SOON).await.unwrap().unwrap(), text);
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
async fn a_sweep_of_a_dead_server_fails() {
    let mut server = Server::start();
    let tier = tier(&server);
    assert!(tier.connected_within(SOON).await);
    server.kill();
    assert!(tier.sweep(&Pattern::parse("*"), SOON).await.is_err());
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
