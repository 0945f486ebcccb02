//! Evicting by pattern.

use super::{
    process::{LEASE, LIFE},
    stores::Stores,
};
use crate::{
    bus::{Gone, Manner, News},
    entry::mark_expired,
    key::Pattern,
    tiers::Stored,
};

/// The key of a text that was too long, below this region.
pub(super) fn digested(region: &str) -> String {
    format!("{region}:#{}", "0f".repeat(16))
}

pub(super) async fn a_sweep_takes_what_matches_and_nothing_else(stores: &Stores) {
    let (here, there) = (stores.process(), stores.process());
    for key in ["list:1", "list:2", "lists:1", "list", "other:list:1"] {
        here.fill(key).await;
    }
    here.evict_and_hold("list:3", LEASE).await;
    assert_eq!(here.sweep("list:*", Manner::Evict).await, 2, "values");
    for (key, left) in [
        ("list:1", false),
        ("list:2", false),
        ("lists:1", true),
        ("list", true),
        ("other:list:1", true),
    ] {
        assert_eq!(there.get(key).await.is_some(), left, "`{key}`");
    }
    let hold = there.inspect("list:3").await.hold;
    assert!(hold.is_some(), "holds are left alone");
    assert_eq!(
        here.sweep("list:*", Manner::Evict).await,
        0,
        "nothing is left"
    );
}

pub(super) async fn the_exact_match_is_made_here(stores: &Stores) {
    let process = stores.process();
    for key in ["list:1", "list:22", "list:a%2Ab", "list:%2A"] {
        process.fill(key).await;
    }
    assert_eq!(process.sweep("list:[0-9]", Manner::Evict).await, 1);
    assert_eq!(process.get("list:1").await, None);
    assert_eq!(
        process.sweep(r"list:a\**", Manner::Evict).await,
        1,
        "a literal star"
    );
    assert_eq!(process.get("list:a%2Ab").await, None);
    assert_eq!(
        process.sweep("list:?", Manner::Evict).await,
        1,
        "one character is escaped"
    );
    assert!(process.get("list:22").await.is_some());
    assert_eq!(
        process.sweep("list:22", Manner::Evict).await,
        1,
        "a pattern without a star"
    );
}

pub(super) async fn a_sweep_breaks_leases(stores: &Stores) {
    let (here, there) = (stores.process(), stores.process());
    let matching = here.lead("list:1").await;
    let other = here.lead("item:1").await;
    assert_eq!(
        there.sweep("list:*", Manner::Evict).await,
        0,
        "there are no values"
    );
    let stored = here.store("list:1", matching, 1).await;
    assert_eq!(stored, Stored::Refused, "loaded before it");
    assert!(!here.renew("list:1", matching, LEASE).await);
    assert_eq!(here.store("item:1", other, 1).await, Stored::Stored);
}

/// In whatever order they are met: what was loaded before is nowhere after.
pub(super) async fn a_sweep_beside_stores_leaves_nothing(stores: &Stores) {
    let (here, there) = (stores.process(), stores.process());
    for round in 0..5 {
        let mut loads = Vec::new();
        for n in 0..20 {
            let key = format!("list:{round}:{n}");
            let token = here.lead(&key).await;
            loads.push((key, token));
        }
        let stored = async {
            for (key, token) in &loads {
                here.store(key, *token, 1).await;
            }
        };
        tokio::join!(there.sweep("list:*", Manner::Evict), stored);
        for (key, _) in &loads {
            assert_eq!(here.get(key).await, None, "`{key}`");
        }
    }
}

pub(super) async fn a_digested_key_is_swept_where_its_region_can_match(stores: &Stores) {
    let process = stores.process();
    let (ours, other) = (digested("list"), digested("item"));
    for key in [&*ours, &*other, "item:1"] {
        process.fill(key).await;
    }
    process.sweep("list:someone:*", Manner::Evict).await;
    assert_eq!(process.get(&ours).await, None, "its full text might match");
    for key in [&*other, "item:1"] {
        assert!(process.get(key).await.is_some(), "`{key}`");
    }
}

pub(super) async fn a_sweep_reaches_every_scope(stores: &Stores) {
    let process = stores.process();
    let ours = ["list:1", "list:1:,user%3A7", "list:2:,'"];
    let others = ["item:1:,user%3A7", "item:1:,list%3A1"];
    for key in ours.iter().chain(&others) {
        process.fill(key).await;
    }
    let leased = process.lead("list:3:,user%3A8").await;
    assert_eq!(process.sweep("list:*", Manner::Evict).await, 3);
    for key in ours {
        assert_eq!(process.get(key).await, None, "`{key}`");
    }
    for key in others {
        assert!(process.get(key).await.is_some(), "`{key}`");
    }
    let stored = process.store("list:3:,user%3A8", leased, 1).await;
    assert_eq!(stored, Stored::Refused);
}

pub(super) async fn everything_means_every_entry_of_this_cache(stores: &Stores) {
    let process = stores.process();
    let weird = [
        "", "%2A", "a%3Ab:c", "%7B%7D", "ключ", "a%20b", "'", "~", "(1,2,)", "%25",
    ];
    for key in weird {
        process.fill(key).await;
    }
    for n in 0..300 {
        process.fill(&format!("bulk:{n}")).await;
    }
    process.register("bulk").await;
    let gone = process.sweep("*", Manner::Evict).await;
    assert_eq!(gone, 300 + weird.len() as u64);
    for key in weird {
        assert_eq!(process.inspect(key).await, Default::default(), "`{key}`");
    }
    let regions = process.regions().await.expect("the registry is no entry");
    assert_eq!(regions, ["bulk"]);
}

pub(super) async fn expire_keeps_values_and_breaks_leases(stores: &Stores) {
    let mut ear = stores.listening().await;
    let process = stores.process();
    for key in ["list:1", "list:2", "item:1"] {
        process.fill(key).await;
    }
    let cut_off = process.fill_cut_off("list:5").await;
    let token = process.lead("list:4").await;
    let before = process.get("list:1").await.expect("it was stored");
    if let Some(ear) = &mut ear {
        ear.news().await;
    }
    assert_eq!(
        process.sweep("list:*", Manner::Expire).await,
        2,
        "what can be marked"
    );
    for (key, expired) in [("list:1", true), ("list:2", true), ("item:1", false)] {
        let found = process.inspect(key).await;
        let value = found.value.expect("nothing was evicted");
        let mut marked = value.to_vec();
        mark_expired(&mut marked);
        assert_eq!(marked == value, expired, "`{key}`");
        let left = found.remaining.unwrap_or_default();
        assert!(left > LIFE / 2, "`{key}` {left:?}");
    }
    let mut expected = before.to_vec();
    mark_expired(&mut expected);
    assert_eq!(process.get("list:1").await.expect("it stays"), expected);
    let left = process.get("list:5").await;
    assert_eq!(left, Some(cut_off), "nothing is made longer");
    let stored = process.store("list:4", token, 1).await;
    assert_eq!(stored, Stored::Refused);
    if let Some(ear) = &mut ear {
        let expected = News::Gone(Gone {
            manner: Manner::Expire,
            patterns: vec![Pattern::parse("list:*")],
            ..Gone::default()
        });
        assert_eq!(ear.news_from(&process).await, [expected]);
    }
}
