//! Messages as they are sent.

use super::server::Ear;
use super::*;
use crate::bus::{Message, News};

fn waiting(token: Token) -> Acquire {
    Acquire {
        waits: true,
        heeds_failures: false,
        ..load(token)
    }
}

fn news(heard: Vec<Message>) -> Vec<News> {
    heard.into_iter().map(|heard| heard.news).collect()
}

fn wake(key: &str) -> News {
    News::Wake(vec![key.into()])
}

/// Another load, which waits, meets the lease.
async fn meet(tier: &RedisTier, key: &str) {
    let held = tier.acquire(key, waiting(Token::random()), SOON).await;
    assert!(matches!(held.unwrap(), Acquired::Held { .. }));
}

/// As an eviction with a hold does that comes between; it would break the lease as well.
#[tokio::test]
async fn a_load_that_is_held_wakes_who_waits_for_it() {
    let server = Server::start();
    let tier = tier(&server);
    let mut ear = Ear::at(&server);
    let token = Token::random();
    tier.acquire("held", load(token), SOON).await.unwrap();
    meet(&tier, "held").await;
    server.ask(&["SET", "shop:{held}:hold", "", "PX", "60000"]);
    let stored = store(&tier, "held", token, 1).await.unwrap();
    assert_eq!(stored, Stored::Held);
    assert_eq!(news(ear.heard(&server)), [wake("held")]);
}

#[tokio::test]
async fn messages_name_their_sender_and_database() {
    let server = Server::start();
    let mut ear = Ear::at(&server);
    let url = format!("{}/3", server.url());
    let other = RedisTier::new("shop", super::super::parse(&url).unwrap(), limits(8));
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
    let quiet = RedisTier::new("shop", super::super::parse(&url).unwrap(), limits(8));

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
