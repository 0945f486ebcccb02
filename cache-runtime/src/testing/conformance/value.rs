//! What is stored: as it was, for as long as it should, and under its own key.

use std::time::{Duration, Instant};

use super::{
    process::{entry, envelope, load},
    stores::{Stores, eventually, lasted},
};
use crate::{
    entry::Token,
    tiers::{Acquired, Eviction, Removal, Store, Stored},
};

pub(super) async fn a_life_runs_out(stores: &Stores) {
    const LIFE: Duration = Duration::from_secs(2);
    let process = stores.process();
    let token = process.lead("a").await;
    let bytes = envelope(token, 1);
    let began = Instant::now();
    let stored = Store {
        life: LIFE,
        ..entry(token, 1, &bytes)
    };
    assert_eq!(process.store_entry("a", stored).await, Stored::Stored);
    let found = process.inspect("a").await;
    let remaining = found.remaining.expect("it has an end");
    assert!(remaining <= LIFE, "{remaining:?}");
    eventually("its life ends", async || process.get("a").await.is_none()).await;
    lasted("the life", began, LIFE);
    assert_eq!(process.inspect("a").await.value, None);
    let led = process.acquire("a", load(Token::random())).await;
    assert_eq!(led, Acquired::Lead, "there is no value any more");
}

/// What is stored later counts for as long as it says itself.
pub(super) async fn a_life_is_the_last_values(stores: &Stores) {
    let process = stores.process();
    let token = process.lead("a").await;
    let bytes = envelope(token, 1);
    let short = Duration::from_millis(500);
    let stored = Store {
        life: short,
        ..entry(token, 1, &bytes)
    };
    process.store_entry("a", stored).await;
    process.fill("a").await;
    tokio::time::sleep(short * 2).await;
    assert!(process.get("a").await.is_some(), "the second lives longer");
}

pub(super) async fn lives_are_clamped_to_what_the_server_takes(stores: &Stores) {
    let process = stores.process();
    for life in [Duration::ZERO, Duration::from_micros(3), Duration::MAX] {
        let key = format!("a:{}", life.as_nanos());
        let token = process.lead(&key).await;
        let stored = Store {
            life,
            ..entry(token, 1, b"0123456789abcdef")
        };
        assert_eq!(process.store_entry(&key, stored).await, Stored::Stored);
        let found = process.inspect(&key).await;
        let day = Duration::from_secs(86_400);
        if life > day {
            let remaining = found.remaining.unwrap_or(Duration::MAX);
            assert!(found.value.is_some() && remaining > day, "{remaining:?}");
        } else {
            let gone = async || process.get(&key).await.is_none();
            eventually("the shortest life ends", gone).await;
        }
    }
}

pub(super) async fn bytes_come_back_as_they_were(stores: &Stores) {
    let process = stores.process();
    let all = (0..=255).cycle();
    for length in [0, 1, 4_096, 300_000] {
        let key = format!("a:{length}");
        let token = process.lead(&key).await;
        let mut bytes = envelope(token, 1);
        bytes.extend(all.clone().take(length));
        process.store_entry(&key, entry(token, 1, &bytes)).await;
        let found = process.get(&key).await.expect("it was stored");
        assert!(found == bytes, "{length} bytes came back changed");
        let answer = process.acquire(&key, load(Token::random())).await;
        assert!(answer == Acquired::Value(bytes.into()), "{length} bytes");
    }
}

pub(super) async fn the_empty_key_is_a_key(stores: &Stores) {
    let process = stores.process();
    process.fill("").await;
    assert!(process.get("").await.is_some());
    process.evict("").await;
    assert_eq!(process.inspect("").await, Default::default());
}

/// No key is another's value, lease, hold or label, whatever the tier puts behind or in front of it.
pub(super) async fn keys_that_look_alike_are_apart(stores: &Stores) {
    let process = stores.process();
    let keys = [
        "a",
        "A",
        "a:",
        ":a",
        "a:b",
        "a:lease",
        "a:hold",
        "a:failed",
        "lease",
        "hold",
        "%2A",
        "%7Ba%7D",
        "a%3Ab",
        "a%20",
        "ключ",
        "shop",
        "shop:a",
        "'",
        "~",
        "(1,2,)",
        "%25",
        "tag",
        "a:,user%3A7",
    ];
    let mut tokens = Vec::new();
    for key in keys {
        process
            .evict_and_hold(&format!("{key}:other"), Duration::from_secs(60))
            .await;
        tokens.push(process.fill(key).await);
    }
    for (key, token) in keys.iter().zip(&tokens) {
        process.lead_over(key, *token).await;
    }
    for (key, token) in keys.iter().zip(tokens) {
        let found = process.inspect(key).await;
        let value = found.value.unwrap_or_else(|| panic!("`{key}` is gone"));
        assert_eq!(Token::of_stored(&value), token, "`{key}`");
        assert!(found.leased && found.hold.is_none(), "`{key}`");
        process.evict(key).await;
        assert_eq!(process.inspect(key).await, Default::default(), "`{key}`");
    }
}

pub(super) async fn many_keys_go_in_chunks(stores: &Stores) {
    let process = stores.process();
    let keys: Vec<String> = (0..600).map(|n| format!("k:{n}")).collect();
    let filled = || keys.iter().step_by(97);
    for key in filled() {
        process.fill(key).await;
    }
    process.fill("other").await;
    let hold = Duration::ZERO;
    let all: Vec<_> = keys.iter().map(|key| Eviction { key, hold }).collect();
    let what = Removal {
        keys: &all,
        ..Removal::default()
    };
    process.remove(what).await;
    for key in filled() {
        assert_eq!(process.get(key).await, None, "`{key}`");
    }
    assert!(process.get("other").await.is_some(), "nobody evicted it");
}
