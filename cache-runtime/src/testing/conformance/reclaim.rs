//! Freeing what is dead.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::{
    process::{LEASE, Process, envelope},
    stores::Stores,
    sweep::digested,
};
use crate::{
    bus::Manner,
    entry::Token,
    tiers::{Acquired, Stored},
};

async fn kept(process: &Process, key: &str) -> bool {
    process.get(key).await.is_some()
}

pub(super) async fn only_the_dead_below_the_region_are_freed(stores: &Stores) {
    let (here, there) = (stores.process(), stores.process());
    let digested = digested("list");
    for key in [
        "list",
        "list:1",
        "list:2:x",
        &digested,
        "list:1:,user%3A7",
        "lists:1",
        "other:list:1",
        "",
    ] {
        here.fill(key).await;
    }
    let leased = here.lead("list:3").await;
    let beside = here.lead("list:1").await;
    let dead = |key: &str, _: &Bytes| key != "list:2:x";
    assert_eq!(there.reclaim("list", &dead).await, 4, "are gone");
    for (key, left) in [
        ("list", false),
        ("list:1", false),
        (&digested, false),
        ("list:1:,user%3A7", false),
        ("list:2:x", true),
        ("lists:1", true),
        ("other:list:1", true),
        ("", true),
    ] {
        assert_eq!(kept(&here, key).await, left, "`{key}`");
    }
    assert!(
        here.renew("list:3", leased, LEASE).await,
        "leases are left alone"
    );
    assert_eq!(here.store("list:1", beside, 1).await, Stored::Stored);

    let all = |_: &str, _: &Bytes| true;
    assert_eq!(
        there.reclaim("", &all).await,
        5,
        "all are below the empty region"
    );
    assert!(
        here.renew("list:3", leased, LEASE).await,
        "leases are left alone"
    );
}

pub(super) async fn holds_and_the_living_stay(stores: &Stores) {
    let process = stores.process();
    process.evict_and_hold("a:1", LEASE).await;
    process.fill("a:2").await;
    process.expire("a:2").await;
    assert_eq!(process.reclaim("a", &|_, _| false).await, 0);
    assert!(kept(&process, "a:2").await);
    assert_eq!(process.reclaim("a", &|_, _| true).await, 1);
    assert!(process.inspect("a:1").await.hold.is_some());
}

pub(super) async fn the_first_bytes_are_shown(stores: &Stores) {
    let process = stores.process();
    let token = process.fill("a").await;
    let shown = Mutex::new(Vec::new());
    let look = |key: &str, first: &Bytes| {
        let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.push((key.to_owned(), first.clone()));
        false
    };
    assert_eq!(process.reclaim("", &look).await, 0);
    let shown = shown.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(!shown.is_empty(), "nothing was looked at");
    for (key, first) in shown {
        assert_eq!(key, "a");
        let whole = envelope(token, 1);
        assert!(
            first.len() > Token::LEN && whole.starts_with(&first),
            "{first:?}"
        );
    }
}

/// `dead` is called without holding anything up.
pub(super) async fn what_was_stored_since_it_was_looked_at_stays(stores: &Stores) {
    const HELD_UP: &str = "a store waits for the call of `dead`";
    let process = stores.process();
    let before = process.fill("a:1").await;
    process.fill("a:2").await;
    let replace = |key: &str, first: &Bytes| {
        if key == "a:1" && Token::of_stored(first) == before {
            stores.elsewhere(HELD_UP, async move |stores: Stores| {
                let other = stores.process();
                let token = other.lead_over("a:1", before).await;
                assert_eq!(other.store("a:1", token, 1).await, Stored::Stored);
            });
        }
        true
    };
    assert_eq!(
        process.reclaim("a", &replace).await,
        1,
        "one of the two was looked at"
    );
    let found = process.get("a:1").await.expect("the newer one stays");
    assert_ne!(Token::of_stored(&found), before);
    assert!(!kept(&process, "a:2").await);
}

pub(super) async fn many_are_freed_batch_by_batch(stores: &Stores) {
    let process = stores.process();
    for n in 0..200 {
        process.fill(&format!("a:{n}")).await;
    }
    let even = |key: &str, _: &Bytes| key.ends_with(['0', '2', '4', '6', '8']);
    assert_eq!(process.reclaim("a", &even).await, 100);
    assert_eq!(process.sweep("a:*", Manner::Evict).await, 100, "the others");
}

pub(super) async fn what_was_freed_is_loaded_again(stores: &Stores) {
    let process = stores.process();
    process.fill("a").await;
    assert_eq!(process.reclaim("", &|_, _| true).await, 1);
    let led = process
        .acquire("a", super::process::load(Token::random()))
        .await;
    assert_eq!(led, Acquired::Lead);
}
