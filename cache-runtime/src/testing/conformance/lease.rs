//! Leases: every outcome of asking, storing, prolonging and giving back.

use std::time::{Duration, Instant};

use super::{
    process::{LEASE, entry, envelope, load, put},
    stores::{Stores, eventually, lasted},
};
use crate::{
    bus::Manner,
    entry::Token,
    tiers::{Acquire, Acquired, Store, Stored},
};

/// The life of what is to run out: long enough to do something meanwhile.
const SHORT: Duration = Duration::from_secs(2);
pub(super) async fn a_value_is_led_stored_and_read(stores: &Stores) {
    let (one, two) = (stores.process(), stores.process());
    assert_eq!(one.get("a").await, None, "the store is empty at first");
    let token = Token::random();
    let led = one.acquire("a", load(token)).await;
    assert_eq!(led, Acquired::Lead, "nobody has the lease");
    assert!(two.inspect("a").await.leased, "the lease is shown");
    assert_eq!(one.store("a", token, 1).await, Stored::Stored);
    for process in [&one, &two] {
        let stored = process.get("a").await.expect("the value was stored");
        assert_eq!(stored, envelope(token, 1), "as it was stored");
        assert!(
            !process.inspect("a").await.leased,
            "the lease was given back"
        );
        let other = process.acquire("a", load(Token::random())).await;
        assert_eq!(other, Acquired::Value(stored), "not seen yet");
    }
}

pub(super) async fn a_seen_value_is_not_returned_again(stores: &Stores) {
    let process = stores.process();
    let seen = process.fill("a").await;
    let mut ask = load(Token::random());
    ask.seen = Some(Token::random());
    let answer = process.acquire("a", ask).await;
    assert!(
        matches!(answer, Acquired::Value(_)),
        "another was seen: {answer:?}"
    );
    ask.seen = Some(seen);
    assert_eq!(
        process.acquire("a", ask).await,
        Acquired::Lead,
        "this one was seen"
    );
}

pub(super) async fn a_refresh_does_not_look_at_the_value(stores: &Stores) {
    let process = stores.process();
    process.fill("a").await;
    let ask = Acquire {
        ignore_value: true,
        ..load(Token::random())
    };
    assert_eq!(process.acquire("a", ask).await, Acquired::Lead);
    assert!(
        process.get("a").await.is_some(),
        "the value stays meanwhile"
    );
}

pub(super) async fn a_second_load_is_told_who_leads(stores: &Stores) {
    let (one, two) = (stores.process(), stores.process());
    let first = one.lead("a").await;
    let second = Token::random();
    let held = two.acquire("a", load(second)).await;
    assert_eq!(held, Acquired::Held { by_put: false }, "a load leads");
    assert_eq!(
        two.acquire("a", put(second)).await,
        Acquired::Lead,
        "by force"
    );
    let held = one.acquire("a", load(Token::random())).await;
    assert_eq!(held, Acquired::Held { by_put: true }, "a put leads");
    let lost = one.store("a", first, 1).await;
    assert_eq!(lost, Stored::Refused, "the put took its lease");
    assert_eq!(two.store("a", second, 1).await, Stored::Stored);
}

pub(super) async fn a_put_takes_the_lease_whatever_is_there(stores: &Stores) {
    let process = stores.process();
    let there = process.fill("a").await;
    let (first, second) = (Token::random(), Token::random());
    for token in [first, second] {
        let led = process.acquire("a", put(token)).await;
        assert_eq!(led, Acquired::Lead, "beside a value, and then beside a put");
    }
    let found = process.get("a").await.expect("no put takes the value");
    assert_eq!(Token::of_stored(&found), there);
    let lost = process.store("a", first, 1).await;
    assert_eq!(lost, Stored::Refused, "another put took its lease");
    assert_eq!(process.store("a", second, 1).await, Stored::Stored);
}

pub(super) async fn one_of_many_leads(stores: &Stores) {
    for round in 0..10 {
        let key = format!("a:{round}");
        let [a, b, c, d] = [(); 4].map(|()| stores.process());
        let ask = || load(Token::random());
        let (a, b, c, d) = tokio::join!(
            a.acquire(&key, ask()),
            b.acquire(&key, ask()),
            c.acquire(&key, ask()),
            d.acquire(&key, ask()),
        );
        let answers = [a, b, c, d];
        let leaders = answers.iter().filter(|it| **it == Acquired::Lead).count();
        assert_eq!(leaders, 1, "{answers:?}");
    }
}

pub(super) async fn an_eviction_breaks_the_lease(stores: &Stores) {
    for manner in [Manner::Evict, Manner::Expire] {
        let (here, there) = (stores.process(), stores.process());
        here.fill("a").await;
        let token = here.lead("a").await;
        there.remove_key(manner, "a", Duration::ZERO).await;
        assert!(!here.inspect("a").await.leased, "{manner:?}");
        assert!(
            !here.renew("a", token, LEASE).await,
            "{manner:?}: it was lost"
        );
        let stored = here.store("a", token, 1).await;
        assert_eq!(stored, Stored::Refused, "{manner:?}: loaded before it");
        here.evict("a").await;
        assert_eq!(here.get("a").await, None);
        assert_eq!(
            here.inspect("a").await,
            Default::default(),
            "nothing is left"
        );
    }
}

/// In either order, the eviction has the last word.
pub(super) async fn a_store_beside_an_eviction_leaves_nothing(stores: &Stores) {
    let (here, there) = (stores.process(), stores.process());
    for round in 0..50 {
        let token = here.lead("a").await;
        let evict = there.evict("a");
        let stored = if round % 2 == 0 {
            tokio::join!(here.store("a", token, 1), evict).0
        } else {
            tokio::join!(evict, here.store("a", token, 1)).1
        };
        assert_eq!(here.get("a").await, None, "round {round}: {stored:?}");
    }
}

pub(super) async fn only_the_holder_renews_and_releases(stores: &Stores) {
    let process = stores.process();
    let token = process.lead_for("a", SHORT).await;
    let began = Instant::now();
    assert!(
        !process.renew("a", Token::random(), LEASE).await,
        "another's"
    );
    assert!(process.renew("a", token, LEASE).await, "the holder's");
    process.release("a", Token::random());
    let other = process.lead("b").await;
    process.release("b", other);
    eventually("`b` is released", async || {
        !process.inspect("b").await.leased
    })
    .await;
    tokio::time::sleep((SHORT + SHORT / 10).saturating_sub(began.elapsed())).await;
    assert!(
        process.inspect("a").await.leased,
        "it was prolonged, and released by another"
    );
    process.release("a", token);
    eventually("`a` is released", async || {
        !process.inspect("a").await.leased
    })
    .await;
    assert!(!process.renew("a", token, LEASE).await, "it was given back");
    assert_eq!(
        process.store("a", token, 1).await,
        Stored::Refused,
        "it was given back"
    );
}

pub(super) async fn a_store_gives_the_lease_back(stores: &Stores) {
    let process = stores.process();
    let first = process.fill("a").await;
    let second = process.lead_over("a", first).await;
    assert_eq!(process.store("a", second, 1).await, Stored::Stored);
    let again = process.store("a", second, 1).await;
    assert_eq!(again, Stored::Refused, "its lease was given back");
}

pub(super) async fn a_refused_store_leaves_everything_as_it_was(stores: &Stores) {
    let process = stores.process();
    let there = process.fill("a").await;
    let leader = process.lead_over("a", there).await;
    let refused = process.store("a", Token::random(), 1).await;
    assert_eq!(refused, Stored::Refused, "without a lease");
    let found = process.inspect("a").await;
    let value = found.value.expect("the value stays");
    assert_eq!(Token::of_stored(&value), there);
    assert!(found.leased, "the lease is another's");
    assert_eq!(process.store("a", leader, 1).await, Stored::Stored);
    let refused = process.store("b", Token::random(), 1).await;
    assert_eq!(refused, Stored::Refused, "nobody has the lease");
    assert_eq!(
        process.inspect("b").await,
        Default::default(),
        "nothing was made"
    );
}

pub(super) async fn an_expired_lease_cannot_store(stores: &Stores) {
    let process = stores.process();
    let began = Instant::now();
    let token = process.lead_for("a", SHORT).await;
    eventually("the lease ends", async || {
        !process.inspect("a").await.leased
    })
    .await;
    lasted("the lease", began, SHORT);
    assert!(!process.renew("a", token, LEASE).await, "it has ended");
    let stored = process.store("a", token, 1).await;
    assert_eq!(stored, Stored::Refused, "it has ended");
    process.fill("a").await;
}

pub(super) async fn waiting_does_not_prolong_a_lease(stores: &Stores) {
    let process = stores.process();
    process.lead_for("a", SHORT).await;
    process.wait_for("a").await;
    let ended = async || process.acquire("a", load(Token::random())).await == Acquired::Lead;
    eventually("another leads", ended).await;
}

pub(super) async fn a_hold_refuses_stores_and_is_only_ever_extended(stores: &Stores) {
    let (process, other) = (stores.process(), stores.process());
    let seconds = Duration::from_secs;
    let left = async || {
        let left = other.inspect("a").await.hold;
        left.expect("the hold stands")
    };
    process.evict_and_hold("a", seconds(60)).await;
    process.evict_and_hold("a", seconds(5)).await;
    process.evict("a").await;
    process.expire("a").await;
    assert!(left().await > seconds(30), "shortened: {:?}", left().await);
    process.evict_and_hold("a", seconds(600)).await;
    assert!(
        left().await > seconds(300),
        "not extended: {:?}",
        left().await
    );
    assert!(left().await <= seconds(600), "longer: {:?}", left().await);
    for ask in [load(Token::random()), put(Token::random())] {
        assert_eq!(
            other.acquire("a", ask).await,
            Acquired::Hold,
            "{:?}",
            ask.kind
        );
    }
    assert!(!other.inspect("a").await.leased, "no lease was taken");
    process.sweep("*", Manner::Evict).await;
    assert!(left().await > seconds(300), "a sweep leaves holds");
}

pub(super) async fn a_hold_bars_what_is_loaded_and_not_what_is_there(stores: &Stores) {
    let process = stores.process();
    let there = process.fill("a").await;
    process.remove_key(Manner::Expire, "a", LEASE).await;
    let answer = process.acquire("a", load(Token::random())).await;
    assert!(matches!(answer, Acquired::Value(_)), "{answer:?}");
    let ask = Acquire {
        seen: Some(there),
        ..load(Token::random())
    };
    assert_eq!(process.acquire("a", ask).await, Acquired::Hold);
}

pub(super) async fn a_hold_breaks_the_lease_and_ends(stores: &Stores) {
    let process = stores.process();
    let before = process.lead("a").await;
    let began = Instant::now();
    process.evict_and_hold("a", SHORT).await;
    let stored = process.store("a", before, 1).await;
    assert!(
        matches!(stored, Stored::Refused | Stored::Held),
        "{stored:?}"
    );
    let ask = || load(Token::random());
    let ended = async || process.acquire("a", ask()).await == Acquired::Lead;
    eventually("the hold ends", ended).await;
    lasted("the hold", began, SHORT);
    process.evict("a").await;
    process.fill("a").await;
}

pub(super) async fn an_entry_of_a_higher_version_is_left_alone(stores: &Stores) {
    let process = stores.process();
    for (n, (there, mine, expected)) in [
        (2, 1, Stored::Newer),
        (0x0100_0000, 0x00FF_FFFF, Stored::Newer),
        (2, 2, Stored::Stored),
        (0x00FF_FFFF, 0x0100_0000, Stored::Stored),
        (1, u32::MAX, Stored::Stored),
    ]
    .into_iter()
    .enumerate()
    {
        let key = format!("a:{n}");
        let older = process.lead(&key).await;
        assert_eq!(process.store(&key, older, there).await, Stored::Stored);
        let newer = process.lead_over(&key, older).await;
        let stored = process.store(&key, newer, mine).await;
        assert_eq!(stored, expected, "{mine} over {there}");
        let found = process.inspect(&key).await;
        assert!(!found.leased, "the lease was given back");
        let kept = if expected == Stored::Newer {
            older
        } else {
            newer
        };
        let value = found.value.expect("one of the two is there");
        assert_eq!(Token::of_stored(&value), kept, "{mine} over {there}");
    }
}

pub(super) async fn an_entry_that_was_cut_off_has_no_version(stores: &Stores) {
    let process = stores.process();
    let seen = process.fill_cut_off("a").await;
    let token = process.lead_over("a", Token::of_stored(&seen)).await;
    assert_eq!(process.store("a", token, 1).await, Stored::Stored);
}

/// A store under a lease that was taken with everything the same but the key.
pub(super) async fn a_lease_is_one_keys(stores: &Stores) {
    let process = stores.process();
    let token = process.lead("a").await;
    let bytes = envelope(token, 1);
    let entry: Store<'_> = entry(token, 1, &bytes);
    assert_eq!(process.store_entry("b", entry).await, Stored::Refused);
    process.evict("b").await;
    assert_eq!(process.store_entry("a", entry).await, Stored::Stored);
}
