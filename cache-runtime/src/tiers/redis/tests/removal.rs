//! How evictions of keys and labels go to the server, and what a server that refuses makes of them.

use super::server::{Ear, Tap, lines_until, monitor};
use super::*;
use crate::bus::{Gone, News};

fn eviction(key: &str) -> Eviction<'_> {
    Eviction {
        key,
        hold: Duration::ZERO,
    }
}

fn hot() -> Label {
    Label::stored("hot")
}

async fn expire(tier: &RedisTier, key: &str) {
    let what = Removal {
        manner: Manner::Expire,
        keys: &[eviction(key)],
        ..Removal::default()
    };
    tier.remove(what, SOON).await.unwrap();
}

#[tokio::test]
async fn keys_labels_and_the_registry_are_one_round_trip_and_one_message_per_hold() {
    let server = Server::start();
    let tap = Tap::before(&server, None);
    let tier = tap.tier().await;
    register(&tier, "a").await;
    let before = ask(&tier, &[hot(), Label::region("a")]).await.labels;
    fill(&tier, "a").await;
    fill(&tier, "b").await;
    let (hot, region) = (hot(), Label::region("a"));
    let held = Duration::from_secs(20);
    let what = Removal {
        manner: Manner::Evict,
        keys: &[
            eviction("a"),
            Eviction {
                key: "b",
                hold: held,
            },
        ],
        labels: &[
            LabelEviction {
                label: &hot,
                hold: Duration::ZERO,
            },
            LabelEviction {
                label: &region,
                hold: held,
            },
        ],
        registry: true,
    };
    let (mut ear, monitor, trips) = (Ear::at(&server), monitor(&server), tap.trips());
    let removed = tier.remove(what, SOON).await.unwrap();
    assert_eq!(tap.trips() - trips, 1);
    assert_eq!(removed.regions.unwrap(), [Box::from("a")]);
    server.ask(&["ECHO", "the end"]);
    let lines = lines_until(monitor, "the end");
    let commands: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert_eq!(
        commands,
        ["EVALSHA", "EVALSHA", "EVALSHA", "EVALSHA", "HGETALL"]
    );

    for key in ["a", "b"] {
        assert_eq!(tier.get(key, SOON).await.unwrap(), None);
    }
    let hold = async |key| tier.inspect(key, SOON).await.unwrap().hold;
    assert_eq!(hold("a").await, None);
    assert!(hold("b").await.is_some());
    let after = tier.standings(&[hot.clone(), region.clone()], SOON).await;
    let after = after.unwrap();
    assert_ne!(is(after[0]).evict, is(before[0]).evict);
    assert_eq!(after[1], Standing::Held);
    let said: Vec<_> = ear.heard(&server).into_iter().map(|it| it.news).collect();
    let gone = |key: &str, label, hold| {
        News::Gone(Gone {
            manner: Manner::Evict,
            keys: vec![key.into()],
            labels: vec![label],
            patterns: Vec::new(),
            hold,
        })
    };
    let expected = [gone("a", hot, Duration::ZERO), gone("b", region, held)];
    assert_eq!(said, expected);
}

#[tokio::test]
async fn expire_makes_nothing_and_leaves_what_is_not_ours() {
    let server = Server::start();
    let tier = tier(&server);
    let text = "somebody else's text, longer than a header";
    server.ask(&["SET", "shop:{text}", text]);
    server.ask(&["SADD", "shop:{set}", "x"]);
    for key in ["text", "set", "nothing"] {
        expire(&tier, key).await;
    }
    assert_eq!(tier.get("text", SOON).await.unwrap().unwrap(), text);
    assert_eq!(server.ask(&["SCARD", "shop:{set}"]), ":1\r\n");
    assert_eq!(server.ask(&["DBSIZE"]), ":2\r\n");
}

#[tokio::test]
async fn what_may_not_be_marked_goes() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "a").await;
    server.ask(&["ACL", "SETUSER", "default", "-setrange"]);
    expire(&tier, "a").await;
    assert_eq!(tier.get("a", SOON).await.unwrap(), None);
}

#[tokio::test]
async fn large_removals_go_in_parts_of_one_message_each() {
    let server = Server::start();
    let tier = tier(&server);
    let mut ear = Ear::at(&server);
    let long = "k".repeat(600);
    let short = (0..2500).map(|n| n.to_string());
    let keys: Vec<_> = short
        .chain((0..300).map(|n| format!("{long}{n}")))
        .collect();
    let labels: Vec<_> = (0..1500).map(|n| Label::stored(&n.to_string())).collect();
    fill(&tier, &keys[0]).await;
    fill(&tier, &keys[2799]).await;
    let keys: Vec<_> = keys.iter().map(|key| eviction(key)).collect();
    let removed: Vec<_> = labels
        .iter()
        .map(|label| LabelEviction {
            label,
            hold: Duration::ZERO,
        })
        .collect();
    register(&tier, "a").await;
    ear.heard(&server);
    let what = Removal {
        manner: Manner::Evict,
        keys: &keys,
        labels: &removed,
        registry: true,
    };
    let answer = tier.remove(what, SOON).await.unwrap();
    assert_eq!(answer.regions.unwrap(), [Box::from("a")]);
    let (mut names, mut tags) = (0, 0);
    for heard in ear.heard(&server) {
        let News::Gone(gone) = heard.news else {
            panic!("{heard:?}")
        };
        names += gone.keys.len();
        tags += gone.labels.len();
        assert!(gone.keys.len() + gone.labels.len() <= 1000);
    }
    assert_eq!((names, tags), (keys.len(), labels.len()));
    // The labels, the clock and the registry.
    assert_eq!(server.ask(&["DBSIZE"]), ":1502\r\n");
    is(standing(&tier, &labels[1499]).await);
}

#[tokio::test]
async fn a_full_server_removes_whatever_is_asked() {
    let server = Server::start();
    let tier = tier(&server);
    register(&tier, "a").await;
    let labels = [hot(), Label::region("a"), Label::cache()];
    ask(&tier, &labels[..2]).await;
    for key in ["a", "b", "c"] {
        fill(&tier, key).await;
    }
    let before = tier.standings(&labels, SOON).await.unwrap();
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    let what = Removal {
        manner: Manner::Evict,
        keys: &[eviction("a")],
        labels: &[
            LabelEviction {
                label: &labels[0],
                hold: Duration::ZERO,
            },
            LabelEviction {
                label: &labels[1],
                hold: LIFE,
            },
            LabelEviction {
                label: &labels[2],
                hold: Duration::ZERO,
            },
        ],
        registry: false,
    };
    tier.remove(what, SOON).await.unwrap();
    assert_eq!(tier.get("a", SOON).await.unwrap(), None);
    let after = tier.standings(&labels, SOON).await.unwrap();
    assert_ne!(is(after[0]).evict, is(before[0]).evict);
    assert_eq!(after[1], Standing::Held);
    assert_ne!(is(after[2]).evict, is(before[2]).evict);

    remove_labels(&tier, Manner::Evict, &[&labels[0]], Duration::ZERO).await;
    let again = is(standing(&tier, &labels[0]).await);
    assert_ne!(again.evict, is(after[0]).evict, "without the cache's label");

    expire(&tier, "b").await;
    let b = tier.get("b", SOON).await.unwrap();
    assert!(b.is_none_or(|value| value[21] == 1));
    let pattern = Pattern::parse("c*");
    Tier::sweep(&tier, &pattern, Manner::Expire, SOON)
        .await
        .unwrap();
    let c = tier.get("c", SOON).await.unwrap();
    assert!(c.is_none_or(|value| value[21] == 1));
    // A label nobody has made can be evicted too.
    remove_labels(&tier, Manner::Evict, &[&Label::stored("new")], LIFE).await;
}

#[tokio::test]
async fn a_registry_that_may_not_be_read_is_none() {
    let server = Server::start();
    let tier = tier(&server);
    register(&tier, "a").await;
    fill(&tier, "a").await;
    server.ask(&["ACL", "SETUSER", "default", "-hgetall"]);
    let what = Removal {
        keys: &[eviction("a")],
        registry: true,
        ..Removal::default()
    };
    let removed = tier.remove(what, SOON).await.unwrap();
    assert_eq!(removed.regions, None);
    assert_eq!(tier.get("a", SOON).await.unwrap(), None);
}

#[tokio::test]
async fn a_refused_removal_is_an_error() {
    let server = Server::start();
    let tier = tier(&server);
    ask(&tier, &[hot()]).await;
    server.ask(&["ACL", "SETUSER", "default", "-del"]);
    let what = Removal {
        keys: &[eviction("a")],
        labels: &[LabelEviction {
            label: &hot(),
            hold: Duration::ZERO,
        }],
        ..Removal::default()
    };
    let error = tier.remove(what, SOON).await.unwrap_err();
    assert_eq!(error.kind, crate::tiers::ErrorKind::Refused, "{error}");
}

/// The server may know the second script of a pipeline and not the first: what it said came too early, and is said again.
#[tokio::test]
async fn a_message_comes_after_the_change_even_when_scripts_were_flushed() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "a").await;
    server.ask(&["SCRIPT", "FLUSH"]);
    remove_labels(&tier, Manner::Evict, &[&hot()], Duration::ZERO).await;
    let (mut ear, monitor) = (Ear::at(&server), monitor(&server));
    let what = Removal {
        keys: &[eviction("a")],
        labels: &[LabelEviction {
            label: &hot(),
            hold: Duration::ZERO,
        }],
        registry: true,
        ..Removal::default()
    };
    tier.remove(what, SOON).await.unwrap();
    assert_eq!(tier.get("a", SOON).await.unwrap(), None);
    server.ask(&["ECHO", "the end"]);
    let heard = ear.heard(&server);
    let ids: std::collections::BTreeSet<_> = heard.iter().map(|heard| heard.id).collect();
    assert_eq!((heard.len(), ids.len()), (2, 2), "{heard:?}");
    let lines = std::io::BufRead::lines(std::io::BufReader::new(monitor)).map(Result::unwrap);
    let lines: Vec<_> = lines.take_while(|line| !line.contains("the end")).collect();
    let last = |what: &str| lines.iter().rposition(|line| line.contains(what));
    assert!(
        last("\"PUBLISH\"") > last("\"UNLINK\" \"shop:{a}\""),
        "{lines:#?}"
    );
    assert!(last("\"HGETALL\"") > last("\"PUBLISH\""), "{lines:#?}");
}

#[tokio::test]
async fn an_eviction_takes_the_note_of_a_failure() {
    let server = Server::start();
    let tier = tier(&server);
    server.ask(&["SET", "shop:{a}:failed", "x"]);
    tier.evict(&[eviction("a")], SOON).await.unwrap();
    assert_eq!(server.ask(&["DBSIZE"]), ":0\r\n");
    server.ask(&["SET", "shop:{a}:failed", "x"]);
    expire(&tier, "a").await;
    assert_eq!(server.ask(&["DBSIZE"]), ":0\r\n");
}

/// Whichever scripts the server knows, what every hold is about is said, and said last in a message that nobody has heard before.
#[tokio::test]
async fn every_hold_is_told_even_when_scripts_were_flushed() {
    let server = Server::start();
    let tier = tier(&server);
    let held = Duration::from_secs(20);
    let labels = [Label::stored("warm"), hot()];
    for known in [0, 1, 2] {
        fill(&tier, "a").await;
        fill(&tier, "b").await;
        server.ask(&["SCRIPT", "FLUSH"]);
        if known == 1 {
            tier.evict(&[eviction("c")], SOON).await.unwrap();
        } else if known == 2 {
            remove_labels(&tier, Manner::Evict, &[&hot()], Duration::ZERO).await;
        }
        let mut ear = Ear::at(&server);
        let what = Removal {
            keys: &[
                Eviction {
                    key: "a",
                    hold: held,
                },
                eviction("b"),
            ],
            labels: &[
                LabelEviction {
                    label: &labels[0],
                    hold: Duration::ZERO,
                },
                LabelEviction {
                    label: &labels[1],
                    hold: held,
                },
            ],
            ..Removal::default()
        };
        tier.remove(what, SOON).await.unwrap();
        let heard = ear.heard(&server);
        let ids: std::collections::BTreeSet<_> = heard.iter().map(|heard| heard.id).collect();
        assert_eq!(ids.len(), heard.len(), "{heard:?}");
        let last: Vec<_> = heard.into_iter().rev().take(2).map(|it| it.news).collect();
        let gone = |key: &str, label: &Label, hold| {
            News::Gone(Gone {
                keys: vec![key.into()],
                labels: vec![label.clone()],
                hold,
                ..Gone::default()
            })
        };
        let expected = [
            gone("a", &labels[1], held),
            gone("b", &labels[0], Duration::ZERO),
        ];
        assert_eq!(last, expected);
        server.ask(&["DEL", "shop:{a}:hold"]);
    }
}
