//! Evicting keys and labels together.

use std::{collections::BTreeSet, time::Duration};

use super::{
    ear::gone,
    process::{LEASE, LIFE, envelope, is, sorted},
    stores::Stores,
};
use crate::{
    bus::{Gone, Manner, News},
    entry::mark_expired,
    tags::{Label, Standing},
    tiers::{Eviction, LabelEviction, Removal, Removed, Stored},
};

fn hot() -> Label {
    Label::stored("hot")
}

/// All that was told, in any order, as if by one message.
fn together(news: Vec<News>) -> Gone {
    let mut all = Gone::default();
    for news in news {
        let News::Gone(gone) = news else {
            panic!("nothing but evictions happened: {news:?}")
        };
        all.manner = gone.manner;
        all.keys.extend(gone.keys);
        all.labels.extend(gone.labels);
        all.patterns.extend(gone.patterns);
        all.hold = all.hold.max(gone.hold);
    }
    all.keys.sort();
    all.labels
        .sort_by(|one, other| one.as_str().cmp(other.as_str()));
    all
}

pub(super) async fn keys_labels_and_the_registry_go_in_one_call(stores: &Stores) {
    let mut ear = stores.listening().await;
    let (here, there) = (stores.process(), stores.process());
    here.register("a").await;
    let (tag, region) = (hot(), Label::region("a"));
    let before = here.ask(&[tag.clone(), region.clone()]).await.labels;
    for key in ["a", "b", "c"] {
        here.fill(key).await;
    }
    if let Some(ear) = &mut ear {
        ear.news().await;
    }
    let (zero, held) = (Duration::ZERO, Duration::from_secs(60));
    let key = |key, hold| Eviction { key, hold };
    let label = |label, hold| LabelEviction { label, hold };
    let what = Removal {
        manner: Manner::Evict,
        keys: &[key("a", zero), key("b", held)],
        labels: &[label(&tag, zero), label(&region, held / 2)],
        registry: true,
    };
    let removed = sorted(here.remove(what).await);
    assert_eq!(removed.expect("the cache has a generation"), ["a"]);
    for (key, left, hold) in [("a", false, false), ("b", false, true), ("c", true, false)] {
        let found = there.inspect(key).await;
        assert_eq!(found.value.is_some(), left, "`{key}`");
        assert_eq!(found.hold.is_some(), hold, "`{key}`");
    }
    let after = there.standings(&[tag.clone(), region.clone()]).await;
    assert_ne!(is(after[0]).evict, is(before[0]).evict);
    assert_eq!(after[1], Standing::Held);
    if let Some(ear) = &mut ear {
        let told = together(ear.news_from(&here).await);
        assert_eq!(told.manner, Manner::Evict);
        assert_eq!(told.keys, ["a", "b"].map(Box::<str>::from));
        assert_eq!(told.labels, [region, tag]);
        assert!(told.patterns.is_empty() && told.hold >= held, "{told:?}");
    }
}

pub(super) async fn nothing_is_removed_where_nothing_is_asked(stores: &Stores) {
    let process = stores.process();
    process.fill("a").await;
    assert_eq!(process.remove(Removal::default()).await, Removed::default());
    assert!(process.get("a").await.is_some());
    process.register("a").await;
    let what = Removal {
        keys: &[Eviction {
            key: "b",
            hold: Duration::ZERO,
        }],
        ..Removal::default()
    };
    assert_eq!(process.remove(what).await.regions, None, "nobody asked");
}

pub(super) async fn an_expired_value_stays_for_as_long_as_before(stores: &Stores) {
    let mut ear = stores.listening().await;
    let (here, there) = (stores.process(), stores.process());
    let token = here.fill("a").await;
    let leader = here.lead_over("a", token).await;
    if let Some(ear) = &mut ear {
        ear.news().await;
    }
    there.expire("a").await;
    let found = here.inspect("a").await;
    let mut expected = envelope(token, 1);
    mark_expired(&mut expected);
    assert_eq!(
        found.value.expect("it stays"),
        expected,
        "marked, and nothing else"
    );
    let left = found.remaining.unwrap_or_default();
    assert!(left <= LIFE && left > LIFE / 2, "{left:?}");
    assert!(!found.leased, "its lease is broken");
    let stored = here.store("a", leader, 1).await;
    assert_eq!(stored, Stored::Refused, "loaded before it");
    let read = here.get("a").await.expect("it stays");
    assert_eq!(read, expected, "whoever reads sees the mark");
    if let Some(ear) = &mut ear {
        let expected = News::Gone(Gone {
            manner: Manner::Expire,
            keys: vec!["a".into()],
            ..Gone::default()
        });
        assert_eq!(ear.news_from(&there).await, [expected]);
    }
}

pub(super) async fn expire_makes_nothing(stores: &Stores) {
    let process = stores.process();
    process.expire("a").await;
    assert_eq!(process.inspect("a").await, Default::default());
    process.fill("a").await;
}

pub(super) async fn expire_makes_nothing_longer(stores: &Stores) {
    let process = stores.process();
    let cut_off = process.fill_cut_off("a").await;
    process.expire("a").await;
    assert_eq!(
        process.get("a").await,
        Some(cut_off),
        "it has no place for the mark"
    );
}

pub(super) async fn what_is_absent_can_be_evicted_again_and_again(stores: &Stores) {
    let mut ear = stores.listening().await;
    let process = stores.process();
    for _ in 0..2 {
        process.evict("a").await;
        assert_eq!(process.inspect("a").await, Default::default());
    }
    if let Some(ear) = &mut ear {
        let told = ear.news_from(&process).await;
        assert_eq!(
            told,
            [gone("a"), gone("a")],
            "somebody may have it in memory"
        );
    }
}

pub(super) async fn large_removals_are_complete(stores: &Stores) {
    let mut ear = stores.listening().await;
    let process = stores.process();
    let long = "k".repeat(600);
    let short = (0..1_500).map(|n| n.to_string());
    let keys: Vec<_> = short
        .chain((0..200).map(|n| format!("{long}{n}")))
        .collect();
    let labels: Vec<_> = (0..1_200).map(|n| Label::stored(&n.to_string())).collect();
    let (first, last) = (&keys[0], &keys[keys.len() - 1]);
    for key in [first, last] {
        process.fill(key).await;
    }
    process.register("a").await;
    if let Some(ear) = &mut ear {
        ear.news().await;
    }
    let hold = Duration::ZERO;
    let evicted: Vec<_> = keys.iter().map(|key| Eviction { key, hold }).collect();
    let replaced: Vec<_> = labels
        .iter()
        .map(|label| LabelEviction { label, hold: LEASE })
        .collect();
    let what = Removal {
        keys: &evicted,
        labels: &replaced,
        registry: true,
        ..Removal::default()
    };
    let removed = sorted(process.remove(what).await);
    assert_eq!(removed.expect("the cache has a generation"), ["a"]);
    for key in [first, last] {
        assert_eq!(process.get(key).await, None);
    }
    let standings = process.standings(&labels).await;
    assert!(standings.iter().all(|standing| *standing == Standing::Held));
    if let Some(ear) = &mut ear {
        let told = together(ear.news_from(&process).await);
        let names = |all: &[String]| all.iter().map(|key| Box::from(&**key)).collect();
        let expected: BTreeSet<Box<str>> = names(&keys);
        assert_eq!(told.keys.into_iter().collect::<BTreeSet<_>>(), expected);
        let expected: BTreeSet<_> = labels.into_iter().collect();
        assert_eq!(told.labels.into_iter().collect::<BTreeSet<_>>(), expected);
    }
}

pub(super) async fn a_label_that_is_named_twice_is_held_for_the_longer_time(stores: &Stores) {
    let short = Duration::from_secs(1);
    let orders = [
        [short, Duration::ZERO, LEASE],
        [LEASE, short, Duration::ZERO],
        [Duration::ZERO, LEASE, short],
    ];
    let all = [hot(), Label::region("a"), Label::cache()];
    let caches = ["shop", "shop2", "shop3"];
    for (cache, holds) in caches.iter().zip(orders) {
        let process = stores.process_of(cache);
        for label in &all {
            let labels = holds.map(|hold| LabelEviction { label, hold });
            let what = Removal {
                labels: &labels,
                ..Removal::default()
            };
            process.remove(what).await;
        }
    }
    tokio::time::sleep(short * 3 / 2).await;
    for (cache, holds) in caches.iter().zip(orders) {
        let standings = stores.process_of(cache).standings(&all).await;
        assert_eq!(standings, [Standing::Held; 3], "{holds:?}");
    }
}
