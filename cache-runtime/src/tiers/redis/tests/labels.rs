//! Generations as they are kept on the server: names, lives, what is unreadable.

use super::server::Tap;
use super::*;
use crate::tags::Logical;

const TAG: &str = "shop:#tag:{hot}";

fn hot() -> Label {
    Label::stored("hot")
}

#[tokio::test]
async fn a_value_is_read_before_its_labels_and_without_them_by_one_plain_command() {
    let server = Server::start();
    let tier = tier(&server);
    let token = fill(&tier, "a").await;
    let generation = ask(&tier, &[hot()]).await.labels[0];
    register(&tier, "a").await;
    let monitor = super::server::monitor(&server);
    let read = tier
        .read("a", &[hot(), Label::cache()], SOON)
        .await
        .unwrap();
    tier.read("a", &[], SOON).await.unwrap();
    server.ask(&["ECHO", "the end"]);
    let lines = super::server::lines_until(monitor, "the end");
    let commands: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split_once("] ").map(|it| it.1))
        .collect();
    assert_eq!(
        commands,
        [
            r#""GET" "shop:{a}""#,
            r#""GET" "shop:#tag:{hot}""#,
            r##""HGET" "shop:#sites" "#gen""##,
            r#""GET" "shop:{a}""#
        ]
    );
    assert_eq!(read.value.unwrap(), envelope(token, 1));
    assert_eq!(read.labels[0], generation);
    is(read.labels[1]);
}

#[tokio::test]
async fn a_lost_or_unreadable_label_is_missing_and_is_made_again() {
    let server = Server::start();
    let tier = tier(&server);
    let before = is(ask(&tier, &[hot()]).await.labels[0]);
    for foreign in [
        &["DEL", TAG][..],
        &["SET", TAG, "g"],
        &[
            "SET",
            TAG,
            "somebody else's text, as long as a generation is",
        ],
        &["SET", TAG, "hello"],
        &["SADD", TAG, "x"],
    ] {
        server.ask(&["DEL", TAG]);
        server.ask(foreign);
        assert_eq!(standing(&tier, &hot()).await, Standing::Missing);
        let read = tier.read("a", &[hot()], SOON).await.unwrap();
        assert_eq!(read.labels, [Standing::Missing], "{foreign:?}");
        let after = is(ask(&tier, &[hot()]).await.labels[0]);
        assert_ne!(before.evict, after.evict, "{foreign:?}");
        assert_eq!(standing(&tier, &hot()).await, Standing::Is(after));

        let mut known = vec![before.evict, after.evict];
        for _ in 0..2 {
            server.ask(&["DEL", TAG]);
            server.ask(foreign);
            remove_labels(&tier, Manner::Expire, &[&hot()], Duration::ZERO).await;
            let expired = is(standing(&tier, &hot()).await).evict;
            assert!(!known.contains(&expired), "nothing of it is kept");
            known.push(expired);
        }
    }
}

#[tokio::test]
async fn what_almost_looks_like_a_generation_is_made_again() {
    let server = Server::start();
    let tier = tier(&server);
    ask(&tier, &[hot()]).await;
    let clock = server.ask(&["GET", "shop:#clock"]);
    let (era, _) = clock.lines().nth(1).unwrap().split_once(':').unwrap();
    let halves = "0123456789abcdef";
    for foreign in [format!("x{halves}{era}1"), format!("g{halves}{era}")] {
        server.ask(&["SET", TAG, &foreign, "PX", "60000"]);
        is(ask(&tier, &[hot()]).await.labels[0]);
    }
}

#[tokio::test]
async fn a_hold_is_extended_never_shortened_nor_removed() {
    let server = Server::start();
    let tier = tier(&server);
    let end = |label: &Label| {
        if *label == hot() {
            return integer(&server.ask(&["PTTL", TAG]));
        }
        let until = server.ask(&["HGET", "shop:#sites", "#gen"]);
        let until = until.lines().nth(1).unwrap().strip_prefix('h').unwrap();
        until.parse::<i64>().unwrap() - i64::try_from(tier.now()).unwrap()
    };
    for label in [hot(), Label::cache()] {
        for (hold, manner, least) in [
            (20, Manner::Evict, 15_000),
            (5, Manner::Evict, 15_000),
            (0, Manner::Evict, 15_000),
            (0, Manner::Expire, 15_000),
            (60, Manner::Expire, 55_000),
        ] {
            remove_labels(&tier, manner, &[&label], Duration::from_secs(hold)).await;
            assert_eq!(standing(&tier, &label).await, Standing::Held);
            let left = end(&label);
            assert!((least..=61_000).contains(&left), "{label:?} {hold} {left}");
        }
    }
    // Asking leaves it alone.
    ask(&tier, &[hot()]).await;
    register(&tier, "a").await;
    assert!(end(&hot()) <= 61_000 && end(&Label::cache()) <= 61_000);
    assert_eq!(standing(&tier, &hot()).await, Standing::Held);
}

#[tokio::test]
async fn a_hold_without_an_end_does_not_bar_its_label() {
    let server = Server::start();
    let tier = tier(&server);
    server.ask(&["SET", TAG, "h"]);
    is(ask(&tier, &[hot()]).await.labels[0]);
    server.ask(&["SET", TAG, "h"]);
    remove_labels(&tier, Manner::Evict, &[&hot()], Duration::ZERO).await;
    is(standing(&tier, &hot()).await);
}

#[tokio::test]
async fn a_label_lives_longer_than_its_entries_and_is_prolonged_only() {
    let server = Server::start();
    let tier = tier(&server);
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let created = async |life: Duration| {
        let labels = [hot()];
        let ask = Labels {
            labels: &labels,
            life,
            ..Labels::default()
        };
        let answer = tier.labelled(ask, SOON).await.unwrap();
        let left = integer(&server.ask(&["PTTL", TAG]));
        let left = Duration::from_millis(left.try_into().unwrap());
        (is(answer.labels[0]), left + Duration::from_secs(60))
    };
    let (first, left) = created(hours(1)).await;
    assert!(left > hours(3) && left < hours(4), "{left:?}");
    let (second, left) = created(hours(10)).await;
    assert!(left > hours(12), "{left:?}");
    let (third, left) = created(hours(1)).await;
    assert!(left > hours(12), "{left:?}");
    assert!(first == second && second == third);

    remove_labels(&tier, Manner::Evict, &[&hot()], Duration::ZERO).await;
    let left = integer(&server.ask(&["PTTL", TAG]));
    assert!(
        left > 11 * 3_600_000,
        "the replaced one lives as long: {left}"
    );
    server.ask(&["PEXPIRE", TAG, "1000"]);
    remove_labels(&tier, Manner::Evict, &[&hot()], Duration::ZERO).await;
    let left = integer(&server.ask(&["PTTL", TAG]));
    assert!(left > 10_000_000, "{left}");
    server.ask(&["PERSIST", TAG]);
    ask(&tier, &[hot()]).await;
    assert_eq!(server.ask(&["PTTL", TAG]), ":-1\r\n");
}

#[tokio::test]
async fn a_lost_clock_begins_another_era_that_orders_nothing_before_it() {
    let server = Server::start();
    let tier = tier(&server);
    let old = is(ask(&tier, &[hot()]).await.labels[0]);
    server.ask(&["DEL", "shop:#clock"]);
    let answer = ask(&tier, &[hot()]).await;
    let new = is(answer.labels[0]);
    assert_ne!(new.evict, old.evict, "one of another era is replaced");
    assert_ne!(answer.clock.unwrap().era, old.made.era);
    assert_eq!(new.made.era, answer.clock.unwrap().era);
    assert!(!new.made.not_after(answer.clock.unwrap()));

    for lost in [&["DEL", "shop:#clock"][..], &["SET", "shop:#clock", "noon"]] {
        server.ask(lost);
        remove_labels(&tier, Manner::Evict, &[&hot()], Duration::ZERO).await;
        let made = is(standing(&tier, &hot()).await).made;
        let now = ask(&tier, &[]).await.clock.unwrap();
        assert_eq!(made, now, "{lost:?}");
        assert_eq!(made, Logical { n: 1, ..now });
        assert_ne!(made.era, new.made.era);
    }
}

/// Generations that the clock does not order would not be compared with what a load has seen of it.
#[tokio::test]
async fn where_the_clock_cannot_go_on_labels_are_lost() {
    let server = Server::start();
    let tier = tier(&server);
    register(&tier, "a").await;
    let labels = [hot(), Label::cache()];
    ask(&tier, &labels[..1]).await;
    server.ask(&["ACL", "SETUSER", "default", "-set"]);
    for label in &labels {
        remove_labels(&tier, Manner::Evict, &[label], Duration::ZERO).await;
        assert_eq!(standing(&tier, label).await, Standing::Missing, "{label:?}");
    }
}

#[tokio::test]
async fn a_lease_and_all_its_questions_are_one_round_trip() {
    let server = Server::start();
    let tier = tier(&server);
    let labels = [hot(), Label::region("a")];
    let asked = Labels {
        register: Some(Register::Region("a")),
        labels: &labels,
        life: LIFE,
        clock: true,
    };
    let trips = async |kind| {
        let tap = Tap::before(&server, None);
        let other = tap.tier().await;
        let before = tap.trips();
        let ask = Acquire {
            kind,
            ..load(Token::random())
        };
        let key = format!("{kind:?}").to_lowercase();
        let answer = Tier::acquire(&other, &key, ask, asked, SOON).await;
        (answer.unwrap(), tap.trips() - before)
    };
    let ((acquired, labelled), trips_of_load) = trips(LeaseKind::Load).await;
    assert_eq!((acquired, trips_of_load), (Acquired::Lead, 1));
    is(labelled.cache.unwrap());
    assert_eq!(
        labelled.labels,
        tier.standings(&labels, SOON).await.unwrap()
    );
    assert!(labelled.clock.is_some());
    let ((acquired, again), trips_of_put) = trips(LeaseKind::Put).await;
    assert_eq!((acquired, trips_of_put), (Acquired::Lead, 1));
    assert_eq!(
        (again.cache, again.labels),
        (labelled.cache, labelled.labels)
    );
}

#[tokio::test]
async fn nothing_to_ask_is_no_command() {
    let server = Server::start();
    let tier = tier(&server);
    server.signal("STOP");
    let nothing = tier.labelled(Labels::default(), SOON).await.unwrap();
    assert_eq!(nothing, Labelled::default());
    assert_eq!(tier.standings(&[], SOON).await.unwrap(), []);
    let removed = tier.remove(Removal::default(), SOON).await.unwrap();
    assert_eq!(removed, Removed::default());
    server.signal("CONT");
}

#[tokio::test]
async fn labels_have_names_of_their_own() {
    let server = Server::start();
    let tier = tier(&server);
    ask(
        &tier,
        &[hot(), Label::region("a"), Label::scope("user%3A7")],
    )
    .await;
    for name in ["hot", "#r:a", "#s:user%3A7"] {
        let key = format!("shop:#tag:{{{name}}}");
        assert_eq!(server.ask(&["EXISTS", &key]), ":1\r\n", "{key}");
    }
}

#[tokio::test]
async fn asking_is_no_event_and_a_hold_is_one() {
    let server = Server::start();
    let tier = tier(&server);
    let clock = async || ask(&tier, &[]).await.clock.unwrap();
    let start = clock().await;
    assert_eq!(start.n, 0);
    assert_eq!(clock().await, start);
    remove_labels(&tier, Manner::Evict, &[&hot()], LIFE).await;
    assert!(!clock().await.not_after(start));
}
