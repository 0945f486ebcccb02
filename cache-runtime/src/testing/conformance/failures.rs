//! Notes of loads that failed: who may leave one, who heeds it, and how it ends.

use std::time::{Duration, Instant};

use super::{
    process::{LEASE, Process, load, put},
    stores::{Stores, eventually, lasted},
};
use crate::{
    bus::Manner,
    entry::Token,
    tiers::{Acquire, Acquired, Stored},
};

/// The pause of a note that is not to run out.
const PAUSE: Duration = Duration::from_secs(60);
/// Of one that is to.
const SHORT: Duration = Duration::from_secs(2);

/// A load that has a value to serve while the origin is left alone.
fn heeding() -> Acquire {
    Acquire {
        heeds_failures: true,
        ..load(Token::random())
    }
}

/// For how long it is told to leave the origin alone; it gives back the lease that it got instead.
async fn left(process: &Process, key: &str, ask: Acquire) -> Option<Duration> {
    let answer = process.acquire(key, ask).await;
    match answer {
        Acquired::Failed { left } => Some(left),
        Acquired::Lead => {
            process.release(key, ask.token);
            let given_back = async || !process.inspect(key).await.leased;
            eventually("the lease is given back", given_back).await;
            None
        }
        other => panic!("there is nothing but a note, if that: {other:?}"),
    }
}

/// Leads and fails.
async fn note(process: &Process, key: &str, pause: Duration) {
    let token = process.lead(key).await;
    let noted = process.fail(key, token, pause).await;
    assert!(noted, "the lease of `{key}` stands");
}

pub(super) async fn only_a_lease_that_stands_leaves_a_note(stores: &Stores) {
    let (here, there) = (stores.process(), stores.process());
    let nobody = here.fail("a", Token::random(), PAUSE).await;
    assert!(!nobody, "nobody has the lease");
    assert_eq!(left(&there, "a", heeding()).await, None);
    let token = here.lead("a").await;
    let anothers = there.fail("a", Token::random(), PAUSE).await;
    assert!(!anothers, "the lease is another's");
    assert!(here.inspect("a").await.leased, "it still is");
    here.evict("a").await;
    assert!(!here.fail("a", token, PAUSE).await, "it was broken");
    assert_eq!(left(&there, "a", heeding()).await, None);
    let token = here.lead("a").await;
    assert!(here.fail("a", token, PAUSE).await, "it stands");
    assert!(!here.inspect("a").await.leased, "it was given back");
    assert_eq!(here.store("a", token, 1).await, Stored::Refused);
    assert!(!here.fail("a", token, PAUSE).await, "it was given back");
    for process in [&here, &there] {
        let left = left(process, "a", heeding()).await;
        let left = left.expect("the origin has failed");
        assert!(left <= PAUSE && left > PAUSE / 2, "{left:?}");
    }
    assert_eq!(left(&there, "b", heeding()).await, None, "another key");
}

pub(super) async fn a_note_is_heeded_by_who_asks_for_it(stores: &Stores) {
    let (here, there) = (stores.process(), stores.process());
    note(&here, "a", PAUSE).await;
    for process in [&here, &there] {
        assert!(left(process, "a", heeding()).await.is_some());
        let leased = process.inspect("a").await.leased;
        assert!(!leased, "who leaves the origin alone has no lease");
        assert_eq!(left(process, "a", load(Token::random())).await, None);
    }
    let leader = here.lead("a").await;
    let left = left(&there, "a", heeding()).await;
    assert!(left.is_some(), "there is nothing to wait for");
    assert_eq!(here.store("a", leader, 1).await, Stored::Stored);
}

pub(super) async fn a_put_does_not_heed_a_note(stores: &Stores) {
    let process = stores.process();
    note(&process, "a", PAUSE).await;
    let token = Token::random();
    let ask = Acquire {
        heeds_failures: true,
        ..put(token)
    };
    assert_eq!(process.acquire("a", ask).await, Acquired::Lead);
    assert_eq!(process.store("a", token, 1).await, Stored::Stored);
}

pub(super) async fn a_value_that_was_not_seen_comes_before_a_note(stores: &Stores) {
    let (here, there) = (stores.process(), stores.process());
    let seen = here.fill("a").await;
    let token = here.lead_over("a", seen).await;
    assert!(here.fail("a", token, PAUSE).await, "the lease stands");
    let there_is = here.get("a").await.expect("a failure leaves the value");
    for ask in [heeding(), load(Token::random())] {
        let answer = there.acquire("a", ask).await;
        assert_eq!(answer, Acquired::Value(there_is.clone()), "{ask:?}");
    }
    let ask = Acquire {
        seen: Some(seen),
        ..heeding()
    };
    assert!(left(&there, "a", ask).await.is_some(), "it was seen");
    let ask = Acquire {
        ignore_value: true,
        ..heeding()
    };
    assert!(left(&there, "a", ask).await.is_some(), "nobody looks at it");
}

pub(super) async fn a_note_ends_by_itself(stores: &Stores) {
    let process = stores.process();
    note(&process, "a", PAUSE).await;
    let began = Instant::now();
    // The later one counts.
    note(&process, "a", SHORT).await;
    let told = left(&process, "a", heeding()).await;
    assert!(told.is_some_and(|left| left <= SHORT), "{told:?}");
    let ended = async || left(&process, "a", heeding()).await.is_none();
    eventually("the note ends", ended).await;
    lasted("the note", began, SHORT);
    note(&process, "a", Duration::ZERO).await;
    eventually("a note of no time ends", ended).await;
    note(&process, "a", Duration::MAX).await;
    assert!(left(&process, "a", heeding()).await.is_some(), "for ever");
}

pub(super) async fn evicting_and_expiring_a_key_removes_its_note(stores: &Stores) {
    let (here, there) = (stores.process(), stores.process());
    for manner in [Manner::Evict, Manner::Expire] {
        for key in ["a", "b"] {
            note(&here, key, PAUSE).await;
        }
        there.remove_key(manner, "a", Duration::ZERO).await;
        assert_eq!(left(&here, "a", heeding()).await, None, "{manner:?}");
        let other = left(&here, "b", heeding()).await;
        assert!(other.is_some(), "{manner:?}: another key");
    }
}

pub(super) async fn a_note_keeps_nothing_but_itself(stores: &Stores) {
    let process = stores.process();
    let seen = process.fill("a").await;
    let token = process.lead_over("a", seen).await;
    let before = process.inspect("a").await;
    assert!(process.fail("a", token, PAUSE).await, "the lease stands");
    let after = process.inspect("a").await;
    assert_eq!((after.value, after.hold), (before.value, before.hold));
    assert!(after.remaining > Some(LEASE), "the value lives on");
    let again = process.lead_over("a", seen).await;
    let stored = process.store("a", again, 1).await;
    assert_eq!(stored, Stored::Stored, "a note refuses no store");
}
