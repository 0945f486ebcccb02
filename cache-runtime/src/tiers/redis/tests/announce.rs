//! Who is told of what, and when.

use super::server::Ear;
use super::*;
use crate::bus::{Gone, Message, News};

fn waiting(token: Token) -> Acquire {
    Acquire {
        waits: true,
        ..load(token)
    }
}

fn news(heard: Vec<Message>) -> Vec<News> {
    heard.into_iter().map(|heard| heard.news).collect()
}

fn wake(key: &str) -> News {
    News::Wake(vec![key.into()])
}

fn gone(key: &str) -> News {
    News::Gone(Gone {
        keys: vec![key.into()],
        ..Gone::default()
    })
}

/// Another load, which waits, meets the lease.
async fn meet(tier: &RedisTier, key: &str) {
    let held = tier.acquire(key, waiting(Token::random()), SOON).await;
    assert!(matches!(held.unwrap(), Acquired::Held { .. }));
}

#[tokio::test]
async fn a_store_is_told_once_and_only_if_somebody_waits() {
    let server = Server::start();
    let tier = tier(&server);
    let mut ear = Ear::at(&server);
    fill(&tier, "unwatched").await;
    let token = Token::random();
    tier.acquire("a", load(token), SOON).await.unwrap();
    let held = tier.acquire("a", load(Token::random()), SOON).await;
    assert_eq!(held.unwrap(), Acquired::Held { by_put: false });
    store(&tier, "a", token, 1).await.unwrap();
    assert_eq!(ear.heard(&server), [], "nobody waits");

    let token = Token::random();
    let ask = Acquire {
        ignore_value: true,
        ..waiting(token)
    };
    tier.acquire("a", ask, SOON).await.unwrap();
    for _ in 0..3 {
        let other = Acquire {
            token: Token::random(),
            ..ask
        };
        let held = tier.acquire("a", other, SOON).await.unwrap();
        assert_eq!(held, Acquired::Held { by_put: false });
    }
    assert!(tier.renew("a", token, LEASE, SOON).await.unwrap());
    let life = integer(&server.ask(&["PTTL", "shop:{a}:lease"]));
    assert!((1..=3000).contains(&life), "the mark keeps it: {life}");
    store(&tier, "a", token, 1).await.unwrap();
    assert_eq!(news(ear.heard(&server)), [wake("a")]);
}

#[tokio::test]
async fn a_lease_that_is_given_back_wakes_who_waits() {
    let server = Server::start();
    let tier = tier(&server);
    let mut ear = Ear::at(&server);
    let token = Token::random();
    for waited in [false, true] {
        tier.acquire("a", load(token), SOON).await.unwrap();
        if waited {
            meet(&tier, "a").await;
        }
        assert!(!tier.give_back("a", Token::random(), SOON).await.unwrap());
        assert!(tier.give_back("a", token, SOON).await.unwrap());
    }
    assert_eq!(news(ear.heard(&server)), [wake("a")]);

    for key in ["a", "b", "c"] {
        tier.acquire(key, load(token), SOON).await.unwrap();
    }
    meet(&tier, "a").await;
    meet(&tier, "c").await;
    for key in ["a", "b", "c"] {
        tier.release_later(key, token);
    }
    assert_eq!(tier.close(SOON).await, 0);
    let mut said = news(ear.heard(&server));
    said.sort_by_key(|news| format!("{news:?}"));
    assert_eq!(said, [wake("a"), wake("c")]);
}

#[tokio::test]
async fn a_load_that_may_not_store_wakes_who_waits_for_it() {
    let server = Server::start();
    let tier = tier(&server);
    let mut ear = Ear::at(&server);
    let token = Token::random();
    tier.acquire("held", load(token), SOON).await.unwrap();
    meet(&tier, "held").await;
    server.ask(&["SET", "shop:{held}:hold", "", "PX", "60000"]);
    let stored = store(&tier, "held", token, 1).await.unwrap();
    assert_eq!(stored, Stored::Held);

    let newer = Token::random();
    tier.acquire("newer", load(newer), SOON).await.unwrap();
    store(&tier, "newer", newer, 2).await.unwrap();
    let mut ask = load(token);
    ask.seen = Some(newer);
    tier.acquire("newer", ask, SOON).await.unwrap();
    let mut other = waiting(Token::random());
    other.seen = Some(newer);
    tier.acquire("newer", other, SOON).await.unwrap();
    let stored = store(&tier, "newer", token, 1).await.unwrap();
    assert_eq!(stored, Stored::Newer);
    assert_eq!(news(ear.heard(&server)), [wake("held"), wake("newer")]);

    let refused = store(&tier, "newer", token, 3).await.unwrap();
    assert_eq!(refused, Stored::Refused);
    assert_eq!(ear.heard(&server), []);
}

#[tokio::test]
async fn a_put_tells_everybody_and_nobody_waits_for_it() {
    let server = Server::start();
    let tier = tier(&server);
    let mut ear = Ear::at(&server);
    let token = Token::random();
    tier.acquire("a", put(token), SOON).await.unwrap();
    let held = tier.acquire("a", waiting(Token::random()), SOON).await;
    assert_eq!(held.unwrap(), Acquired::Held { by_put: true });
    assert_eq!(server.ask(&["STRLEN", "shop:{a}:lease"]), ":17\r\n");
    let entry = Store {
        token,
        schema_version: 1,
        bytes: &envelope(token, 1),
        life: LIFE,
        announce: Announce::Everybody,
    };
    assert_eq!(tier.store("a", entry, SOON).await.unwrap(), Stored::Stored);
    assert_eq!(tier.store("a", entry, SOON).await.unwrap(), Stored::Refused);
    assert_eq!(news(ear.heard(&server)), [gone("a")]);
}

#[tokio::test]
async fn messages_name_their_sender_and_database() {
    let server = Server::start();
    let mut ear = Ear::at(&server);
    let url = format!("{}/3", server.url());
    let other = RedisTier::new("shop", super::super::parse(&url).unwrap(), 8);
    let key = Eviction {
        key: "a",
        hold: Duration::ZERO,
    };
    let one = tier(&server);
    for tier in [&one, &other, &other] {
        tier.evict(&[key], SOON).await.unwrap();
    }
    let heard = ear.heard(&server);
    let databases: Vec<_> = heard.iter().map(|heard| heard.database).collect();
    assert_eq!(databases, [0, 3, 3]);
    assert_ne!(heard[0].sender, heard[1].sender);
    assert_eq!(heard[1].sender, heard[2].sender);
    assert_ne!(heard[1].id, heard[2].id);
}

#[tokio::test]
async fn who_may_not_publish_does_everything_else() {
    let server = Server::start();
    let tier = tier(&server);
    let mut ear = Ear::at(&server);
    server.ask(&["ACL", "SETUSER", "quiet", "on", ">secret", "~*", "+@all"]);
    server.ask(&["ACL", "SETUSER", "quiet", "resetchannels"]);
    let url = format!("redis://quiet:secret@127.0.0.1:{}", server.port());
    let quiet = RedisTier::new("shop", super::super::parse(&url).unwrap(), 8);

    is(register(&quiet, "a").await);
    let token = Token::random();
    quiet.acquire("a", load(token), SOON).await.unwrap();
    meet(&tier, "a").await;
    let stored = store(&quiet, "a", token, 1).await.unwrap();
    assert_eq!(stored, Stored::Stored);
    let before = ask(&quiet, &[Label::stored("hot")]).await.labels[0];
    remove_labels(
        &quiet,
        Manner::Evict,
        &[&Label::stored("hot")],
        Duration::ZERO,
    )
    .await;
    assert_ne!(standing(&tier, &Label::stored("hot")).await, before);
    let gone = quiet.sweep(&Pattern::parse("a*"), SOON).await.unwrap();
    assert_eq!(gone, 1);
    quiet.acquire("b", load(token), SOON).await.unwrap();
    meet(&tier, "b").await;
    assert!(quiet.give_back("b", token, SOON).await.unwrap());
    assert_eq!(ear.heard(&server), []);
}
