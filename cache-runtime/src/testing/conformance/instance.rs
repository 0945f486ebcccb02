//! An instance: present, left in the middle of a call, closed.

use std::time::{Duration, Instant};

use super::{
    process::{WITHIN, entry, envelope, load, put},
    stores::{Stores, eventually},
};
use crate::{
    bus::Manner,
    entry::Token,
    key::Pattern,
    tags::Label,
    tiers::{
        Acquire, Acquired, Eviction, LabelEviction, Labels, LinkState, Register, Removal, Stored,
    },
};

pub(super) async fn a_tier_is_present_and_gets_connected(stores: &Stores) {
    let tier = stores.process().tier;
    assert!(
        tier.is_present(),
        "only the tier of a cache without one is not"
    );
    assert!(tier.connected_within(WITHIN).await, "the store is well");
    let state = tier.state();
    let is_well = matches!(state, LinkState::Connecting | LinkState::Connected { .. });
    assert!(is_well, "{state:?}");
}

/// The time of the store goes on; back only by as much as it is known to.
pub(super) async fn time_goes_on(stores: &Stores) {
    let process = stores.process();
    let tier = &process.tier;
    process.get("a").await;
    let (began, first) = (Instant::now(), tier.now());
    let mut latest = first;
    while began.elapsed() < Duration::from_millis(500) {
        tokio::time::sleep(Duration::from_millis(20)).await;
        process.get("a").await;
        let now = tier.now();
        assert!(now + 100 >= latest, "{now} after {latest}");
        latest = latest.max(now);
    }
    assert!(
        latest - first >= 250,
        "half a second is {} ms of it",
        latest - first
    );
}

/// Drives a call for some turns of the scheduler, and drops it then.
async fn dropped_after<T>(turns: usize, call: impl Future<Output = T>) {
    let turns = async {
        for turn in 0..turns {
            match turn % 8 {
                7 => tokio::time::sleep(Duration::from_millis(1)).await,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    tokio::select! {
        biased;
        _ = call => {}
        () = turns => {}
    }
}

pub(super) async fn a_dropped_call_shifts_no_answer(stores: &Stores) {
    let process = stores.process();
    let mut stored = Vec::new();
    for n in 0..10 {
        let key = format!("a:{n}");
        let token = process.fill(&key).await;
        stored.push((key, token));
    }
    for turns in 0..200 {
        let (dropped, _) = &stored[turns % 7];
        dropped_after(turns % 24, process.get(dropped)).await;
        let (key, token) = &stored[turns % 10];
        let found = process.get(key).await.expect("it was stored");
        assert_eq!(Token::of_stored(&found), *token, "`{key}` was asked for");
    }
}

/// Whatever a dropped call has done, nothing of it stands for longer than the lease.
pub(super) async fn a_call_dropped_half_way_bars_nothing(stores: &Stores) {
    const LEASE: Duration = Duration::from_millis(500);
    let process = stores.process();
    let label = Label::stored("hot");
    let mut keys = Vec::new();
    for turns in 0..24 {
        let token = Token::random();
        for ask in [load(token), put(token)] {
            let key = format!("{:?}:{turns}", ask.kind).to_lowercase();
            let ask = Acquire {
                lease: LEASE,
                ..ask
            };
            dropped_after(turns, process.acquire(&key, ask)).await;
            dropped_after(turns, process.renew(&key, token, LEASE)).await;
            dropped_after(turns, process.store(&key, token, 1)).await;
            keys.push(key);
        }
        let ask = Labels {
            register: Some(Register::Region("a")),
            labels: std::slice::from_ref(&label),
            clock: true,
            ..Labels::default()
        };
        dropped_after(turns, process.labelled(ask)).await;
        dropped_after(turns, process.sweep("x*", Manner::Evict)).await;
        dropped_after(turns, process.reclaim("x", &|_, _| true)).await;
        let what = Removal {
            keys: &[Eviction {
                key: "x",
                hold: Duration::ZERO,
            }],
            labels: &[LabelEviction {
                label: &label,
                hold: Duration::ZERO,
            }],
            registry: true,
            ..Removal::default()
        };
        dropped_after(turns, process.remove(what)).await;
    }
    for key in keys.iter().map(String::as_str).chain(["x"]) {
        let token = Token::random();
        let ask = Acquire {
            ignore_value: true,
            ..load(token)
        };
        let leads = async || process.acquire(key, ask).await == Acquired::Lead;
        eventually("another load leads", leads).await;
        assert_eq!(
            process.store(key, token, 1).await,
            Stored::Stored,
            "`{key}`"
        );
    }
    super::process::is(process.ask(&[label]).await.labels[0]);
}

pub(super) async fn closing_sends_what_was_given_back(stores: &Stores) {
    let (closing, other) = (stores.process(), stores.process());
    let keys: Vec<_> = (0..20).map(|n| format!("a:{n}")).collect();
    let mut tokens = Vec::new();
    for key in &keys {
        tokens.push(closing.lead(key).await);
    }
    for (key, token) in keys.iter().zip(tokens) {
        closing.release(key, token);
    }
    let left = closing.tier.close(WITHIN).await;
    assert_eq!(left, 0, "the store is well: everything can be sent");
    for key in &keys {
        let given_back = async || !other.inspect(key).await.leased;
        eventually("the lease was given back", given_back).await;
    }
}

pub(super) async fn a_closed_instance_answers_nothing(stores: &Stores) {
    let (closed, other) = (stores.process(), stores.process());
    let before = closed.fill("a").await;
    let token = closed.lead("b").await;
    let tier = &closed.tier;
    tier.close(WITHIN).await;
    tier.close(WITHIN).await;
    let bytes = envelope(token, 1);
    let nobody = Labels::default();
    assert!(tier.read("a", &[], WITHIN).await.is_err(), "read");
    let acquired = tier.acquire("c", load(token), nobody, WITHIN).await;
    assert!(acquired.is_err(), "acquire");
    let stored = tier.store("b", entry(token, 1, &bytes), WITHIN).await;
    assert!(stored.is_err(), "store");
    assert!(
        tier.renew("b", token, WITHIN, WITHIN).await.is_err(),
        "renew"
    );
    assert!(tier.fail("b", token, WITHIN, WITHIN).await.is_err(), "fail");
    let what = Removal {
        keys: &[Eviction {
            key: "a",
            hold: Duration::ZERO,
        }],
        ..Removal::default()
    };
    assert!(tier.remove(what, WITHIN).await.is_err(), "remove");
    let swept = tier.sweep(&Pattern::all(), Manner::Evict, WITHIN).await;
    assert!(swept.is_err(), "sweep");
    assert!(
        tier.reclaim("", &|_, _| true, WITHIN).await.is_err(),
        "reclaim"
    );
    assert!(
        tier.standings(&[Label::cache()], WITHIN).await.is_err(),
        "standings"
    );
    assert!(tier.inspect("a", WITHIN).await.is_err(), "inspect");
    assert!(
        matches!(tier.state(), LinkState::Closed),
        "{:?}",
        tier.state()
    );
    let found = other.get("a").await.expect("nothing was done");
    assert_eq!(Token::of_stored(&found), before);
    assert!(other.inspect("b").await.leased, "nothing was done");
    // Whether it is sent or left to expire.
    tier.release_later("b", token);
    other.fill("d").await;
    other.evict("d").await;
}
