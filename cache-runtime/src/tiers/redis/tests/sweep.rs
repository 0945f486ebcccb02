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

/// What the server says of a sweep of `list:*`, up to its end.
async fn watched(server: &Server, tier: &RedisTier) -> Vec<String> {
    let monitor = super::server::monitor(server);
    tier.sweep(&Pattern::parse("list:*"), SOON).await.unwrap();
    server.ask(&["ECHO", "the end"]);
    super::server::lines_until(monitor, "the end")
}

fn of<'l>(seen: &'l [String], command: &str) -> Vec<&'l str> {
    let quoted = format!("\"{command}\"");
    let lines = seen.iter().map(String::as_str);
    lines.filter(|line| line.contains(&quoted)).collect()
}

/// A server that takes no entries of sweeps.
fn take_no_entries(server: &Server) {
    server.ask(&["SET", "shop:#sweeps", "somebody else's"]);
}

#[tokio::test]
async fn what_a_page_finds_goes_at_once() {
    let server = Server::start();
    let tier = tier(&server);
    for n in 0..100 {
        fill(&tier, &format!("list:{n}")).await;
    }
    let token = Token::random();
    tier.acquire("list:a", load(token), SOON).await.unwrap();
    let seen = watched(&server, &tier).await;
    assert_eq!(of(&seen, "SCAN").len(), 1, "{seen:#?}");
    let unlinked = of(&seen, "UNLINK");
    assert_eq!(unlinked.len(), 2, "leases and values: {seen:#?}");
    assert_eq!(server.ask(&["EXISTS", "shop:#sweeps"]), ":0\r\n");
}

#[tokio::test]
async fn where_sweeps_cannot_be_entered_leases_go_before_values() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "list:1").await;
    let token = Token::random();
    tier.acquire("list:2", load(token), SOON).await.unwrap();
    take_no_entries(&server);
    let seen = watched(&server, &tier).await;
    assert_eq!(of(&seen, "SCAN").len(), 2, "{seen:#?}");
    let unlinked = of(&seen, "UNLINK");
    assert_eq!(unlinked.len(), 2, "{seen:#?}");
    assert!(unlinked[0].contains("shop:{list:2}:lease"), "{seen:#?}");
    assert!(unlinked[1].ends_with("\"shop:{list:1}\""), "{seen:#?}");
    fill(&tier, "list:3").await;
}

/// So many others that a sweep has many pages.
fn crowd(server: &Server) {
    let others: Vec<_> = (0..30_000).map(|n| format!("other:{n}")).collect();
    let mut words = vec!["MSET"];
    words.extend(others.iter().flat_map(|other| [other.as_str(), "x"]));
    server.ask(&words);
}

/// Begins loads, sweeps, and stores meanwhile what they loaded; what of it is left.
async fn left_of_loads_begun_before(server: &Server) -> Vec<String> {
    const LOADS: usize = 300;
    let tier = tier(server);
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
    for (key, _) in loads {
        left.extend(tier.get(&key, SOON).await.unwrap().map(|_| key));
    }
    left
}

/// If stores did not heed the sweep, it would store behind the cursor before its lease is found.
#[tokio::test]
async fn a_load_begun_before_a_sweep_leaves_nothing_behind_its_cursor() {
    let server = Server::start();
    crowd(&server);
    let left = left_of_loads_begun_before(&server).await;
    assert!(left.is_empty(), "{left:?}");
}

/// In one pass, or over the values first, the same.
#[tokio::test]
async fn a_load_begun_before_two_passes_leaves_nothing_behind_their_cursors() {
    let server = Server::start();
    crowd(&server);
    take_no_entries(&server);
    let left = left_of_loads_begun_before(&server).await;
    assert!(left.is_empty(), "{left:?}");
}

/// A sweep under way, of which nothing but its entry is seen.
fn enter(server: &Server, name: char, stem: &str) {
    let name = name.to_string().repeat(16);
    assert_eq!(server.ask(&["HSET", "shop:#sweeps", &name, stem]), ":1\r\n");
}

#[tokio::test]
async fn a_sweep_under_way_refuses_what_was_loaded_before_it_and_may_be_meant() {
    let server = Server::start();
    let tier = tier(&server);
    let put = |token| Acquire {
        kind: LeaseKind::Put,
        ..load(token)
    };
    let lead = async |key: &str, ask: fn(Token) -> Acquire| {
        let token = Token::random();
        let led = tier.acquire(key, ask(token), SOON).await.unwrap();
        assert_eq!(led, Acquired::Lead);
        token
    };
    let stored = async |key: &str, token| store(&tier, key, token, 1).await.unwrap();
    for ask in [load as fn(Token) -> Acquire, put] {
        let (before, other) = (lead("list:1", ask).await, lead("item:1", ask).await);
        enter(&server, 'a', "shop:{list:");
        assert_eq!(stored("list:1", before).await, Stored::Refused);
        let given_back = server.ask(&["EXISTS", "shop:{list:1}:lease"]);
        assert_eq!(given_back, ":0\r\n", "for the next to load");
        assert_eq!(stored("item:1", other).await, Stored::Stored, "not meant");

        let (one, two) = (lead("list:1", ask).await, lead("list:2", ask).await);
        assert_eq!(stored("list:1", one).await, Stored::Stored, "begun since");
        enter(&server, 'b', "shop:{");
        assert_eq!(stored("list:2", two).await, Stored::Refused, "a second one");
        let three = lead("list:3", ask).await;
        assert_eq!(stored("list:3", three).await, Stored::Stored, "knows both");
        server.ask(&["UNLINK", "shop:#sweeps", "shop:{list:1}", "shop:{item:1}"]);
        server.ask(&["UNLINK", "shop:{list:3}"]);
    }
}

/// The server may be asked whether there are sweeps, and not which.
#[tokio::test]
async fn sweeps_that_may_not_be_read_refuse_every_store() {
    let server = Server::start();
    let tier = tier(&server);
    let token = Token::random();
    tier.acquire("list:1", load(token), SOON).await.unwrap();
    enter(&server, 'a', "shop:{list:");
    server.ask(&["ACL", "SETUSER", "default", "-hgetall"]);
    let stored = store(&tier, "list:1", token, 1).await.unwrap();
    assert_eq!(stored, Stored::Refused);
}

#[tokio::test]
async fn who_waits_is_told_when_a_sweep_refuses_a_store() {
    let server = Server::start();
    let mut ear = super::server::Ear::at(&server);
    let tier = tier(&server);
    let waiting = |token| Acquire {
        waits: true,
        ..load(token)
    };
    let first = Token::random();
    tier.acquire("list:1", load(first), SOON).await.unwrap();
    let held = tier.acquire("list:1", waiting(Token::random()), SOON).await;
    assert_eq!(held.unwrap(), Acquired::Held { by_put: false });
    enter(&server, 'a', "shop:{list:");
    let refused = store(&tier, "list:1", first, 1).await.unwrap();
    assert_eq!(refused, Stored::Refused);
    let second = Token::random();
    tier.acquire("list:1", load(second), SOON).await.unwrap();
    let held = tier.acquire("list:1", waiting(Token::random()), SOON).await;
    assert_eq!(held.unwrap(), Acquired::Held { by_put: false });
    let stored = store(&tier, "list:1", second, 1).await.unwrap();
    assert_eq!(stored, Stored::Stored, "it knows of the sweep");
    assert_eq!(ear.heard(&server).len(), 2, "both who waited");
}

/// Nobody knows what was stored meanwhile.
#[tokio::test]
async fn a_sweep_whose_entry_was_lost_goes_on_with_two_passes() {
    let server = Server::start();
    crowd(&server);
    let tier = tier(&server);
    let mut stream = server.connect().unwrap();
    let lose = std::thread::spawn(move || {
        while super::server::exchange(&mut stream, &["DEL", "shop:#sweeps"]) != ":1\r\n" {}
    });
    let seen = watched(&server, &tier).await;
    lose.join().unwrap();
    let (leases, other): (Vec<_>, Vec<_>) = of(&seen, "SCAN")
        .into_iter()
        .partition(|line| line.contains("}:lease"));
    assert!(leases.len() >= 30, "{}", leases.len());
    assert!(other.len() >= 60, "{}", other.len());
}

#[tokio::test]
async fn the_entry_of_a_sweep_that_was_cut_off_ends() {
    let server = Server::start();
    let tap = Tap::before(&server, Some("$5\r\nCOUNT"));
    let tier = tap.tier().await;
    let swept = tier.sweep(&Pattern::parse("list:*"), SOON).await;
    assert!(swept.is_err(), "{swept:?}");
    assert_eq!(server.ask(&["HLEN", "shop:#sweeps"]), ":1\r\n");
    let left = integer(&server.ask(&["PTTL", "shop:#sweeps"]));
    assert!((1_000..60_000).contains(&left), "{left}");
}

#[tokio::test]
async fn where_too_many_sweeps_are_under_way_one_more_takes_two_passes() {
    let server = Server::start();
    let tier = tier(&server);
    for n in 0..32 {
        server.ask(&["HSET", "shop:#sweeps", &format!("{n:016}"), "shop:{"]);
    }
    fill(&tier, "list:1").await;
    let seen = watched(&server, &tier).await;
    assert_eq!(of(&seen, "SCAN").len(), 2, "{seen:#?}");
    assert_eq!(tier.get("list:1", SOON).await.unwrap(), None);
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
