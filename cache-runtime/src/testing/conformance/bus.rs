//! What whoever listens can rely on.
//!
//! Where the store can tell nothing, these have nothing to say.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    ear::{Told, gone},
    process::WITHIN,
    stores::{SHOP, Stores, eventually},
};
use crate::bus::{Gone, Listener, Manner, News};

pub(super) async fn an_eviction_is_heard_by_others_and_known_as_ones_own(stores: &Stores) {
    let Some(mut own) = stores.listening().await else {
        return;
    };
    let mut other = stores.listening().await.expect("there is a bus");
    let here = own.process.clone();
    here.evict("a").await;
    assert_eq!(
        own.heard().await,
        [(gone("a"), true)],
        "by this very instance"
    );
    assert_eq!(
        other.heard_from(&here).await,
        [(gone("a"), false)],
        "by another"
    );
}

pub(super) async fn who_stores_and_releases_is_known_too(stores: &Stores) {
    let Some(mut own) = stores.listening().await else {
        return;
    };
    let mut other = stores.listening().await.expect("there is a bus");
    let here = own.process.clone();
    here.register("a").await;
    let token = here.lead("a").await;
    here.wait_for("a").await;
    here.store("a", token, 1).await;
    here.sweep("b*", Default::default()).await;
    let token = here.lead("c").await;
    here.wait_for("c").await;
    here.release("c", token);
    let woken = |news: &News| *news == super::ear::wake("c");
    own.hears("`c` is released", woken).await;
    let heard = own.heard().await;
    assert!(
        heard.len() == 4 && heard.iter().all(|(_, own)| *own),
        "{heard:?}"
    );
    let heard = other.heard_from(&here).await;
    assert!(
        heard.len() == 4 && heard.iter().all(|(_, own)| !*own),
        "{heard:?}"
    );
}

/// The messages about each key, in the order they came in.
fn by_key(news: Vec<News>) -> BTreeMap<Box<str>, Vec<Manner>> {
    let mut sorted = BTreeMap::<_, Vec<_>>::new();
    for news in news {
        match news {
            News::Gone(Gone { manner, keys, .. }) if keys.len() == 1 => {
                sorted.entry(keys[0].clone()).or_default().push(manner);
            }
            other => panic!("nothing but evictions of one key happened: {other:?}"),
        }
    }
    sorted
}

pub(super) async fn every_message_arrives_once_and_those_about_a_key_in_order(stores: &Stores) {
    let Some(mut one) = stores.listening().await else {
        return;
    };
    let mut two = stores.listening().await.expect("there is a bus");
    let (here, there) = (one.process.clone(), two.process.clone());
    let mut sent = Vec::new();
    for n in 0..200 {
        let key = format!("a:{}", n % 20);
        let by = if n % 3 == 0 { &here } else { &there };
        let manner = if n % 7 < 3 {
            Manner::Evict
        } else {
            Manner::Expire
        };
        by.remove_key(manner, &key, Duration::ZERO).await;
        let keys = vec![key.into()];
        sent.push(News::Gone(Gone {
            manner,
            keys,
            ..Gone::default()
        }));
    }
    let sent = by_key(sent);
    assert_eq!(by_key(one.news_from(&there).await), sent);
    assert_eq!(by_key(two.news_from(&there).await), sent);
    assert_eq!(one.news().await, [], "nothing comes twice");
}

pub(super) async fn nothing_is_missed_from_the_start(stores: &Stores) {
    let other = stores.process();
    other.evict("before").await;
    for n in 0..10 {
        let Some(mut ear) = stores.listening().await else {
            return;
        };
        let key = format!("a:{n}");
        other.evict(&key).await;
        // A message of before may be on its way for a while, where it comes in several ways.
        let mut heard = ear.news_from(&other).await;
        heard.retain(|news| *news == gone(&key));
        assert_eq!(heard.len(), 1, "`{key}`: {heard:?}");
    }
}

pub(super) async fn beats_come_without_traffic_and_prove_the_way(stores: &Stores) {
    let Some(ear) = stores.listening().await else {
        return;
    };
    let is_beat = |told: &&Told| matches!(told, Told::Beat { .. });
    let three = |told: &[Told]| told.iter().filter(is_beat).count() >= 3;
    ear.ear.until("three beats", three).await;
    let mut latest = None;
    for told in ear.ear.told() {
        let (since, now) = match told {
            Told::Subscribed { since } => (since, u64::MAX),
            Told::Beat { since, now } => (since, now),
            other => panic!("nothing else happened: {other:?}"),
        };
        assert!(since <= now, "sent at {since}, told at {now}");
        assert!(latest <= Some(since), "sent at {since}, after {latest:?}");
        latest = Some(since);
    }
}

/// What was sent before a beat is told before it.
pub(super) async fn a_beat_proves_what_was_sent_before_it(stores: &Stores) {
    let Some(ear) = stores.listening().await else {
        return;
    };
    let other = stores.process();
    let (began, mut sent) = (Instant::now(), Vec::new());
    while began.elapsed() < Duration::from_millis(3_500) {
        let key = format!("a:{}", sent.len());
        other.evict(&key).await;
        sent.push((gone(&key), ear.ear.moment()));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let told = ear.ear.told();
    let mut arrived = 0;
    for told in told {
        match told {
            Told::News(news, _) if arrived < sent.len() => {
                assert_eq!(news, sent[arrived].0, "in order");
                arrived += 1;
            }
            Told::Beat { since, .. } => {
                let late = sent[arrived..].iter().find(|(_, at)| *at < since);
                assert_eq!(
                    late, None,
                    "sent before {since} and not told before that beat"
                );
            }
            _ => {}
        }
    }
    assert!(arrived > 0, "nothing arrived for seconds");
}

pub(super) async fn closing_ends_the_subscription(stores: &Stores) {
    let Some(ear) = stores.listening().await else {
        return;
    };
    let (other, told) = (stores.process(), &ear.ear);
    other.evict("a").await;
    ear.hears("an eviction", |news| *news == gone("a")).await;
    ear.process.tier.close(WITHIN).await;
    ear.process.tier.wake();
    // What was on its way.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = told.told().len();
    other.evict("b").await;
    // A beat would come meanwhile.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(&told.told()[before..], [], "it was closed");
}

pub(super) async fn a_dropped_instance_lets_its_listener_go(stores: &Stores) {
    let Some(ear) = stores.listening().await else {
        return;
    };
    ear.process.evict("a").await;
    let weak = Arc::downgrade(&ear.ear);
    drop(ear);
    let gone = async || weak.strong_count() == 0;
    eventually("nothing keeps the listener", gone).await;
    // Nobody listens: what is told now is told to nobody, and holds nothing up.
    stores.process_of(SHOP).evict("b").await;
}
