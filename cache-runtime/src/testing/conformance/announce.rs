//! Who is told of what, and when.
//!
//! Where the store can tell nothing, these have nothing to say.

use std::time::Duration;

use super::{
    ear::{Listening, gone, wake},
    process::{LEASE, WITHIN, entry, envelope, load, put},
    stores::{Stores, eventually},
};
use crate::{
    bus::{Gone, Manner, News},
    entry::Token,
    key::Pattern,
    tags::{Label, Standing},
    tiers::{Acquire, Acquired, Announce, Store, Stored},
};

pub(super) async fn a_store_is_told_once_and_only_if_somebody_waits(stores: &Stores) {
    let Some(mut ear) = stores.listening().await else {
        return;
    };
    let process = stores.process();
    process.fill("unwatched").await;
    let token = process.lead("a").await;
    let held = process.acquire("a", load(Token::random())).await;
    assert_eq!(held, Acquired::Held { by_put: false });
    process.store("a", token, 1).await;
    assert_eq!(ear.news_from(&process).await, [], "nobody waits");

    let token = process.lead("a").await;
    for _ in 0..3 {
        process.wait_for("a").await;
    }
    assert!(process.renew("a", token, LEASE).await, "it stands");
    process.store("a", token, 1).await;
    assert_eq!(ear.news_from(&process).await, [wake("a")], "somebody waits");
    let token = process.lead("a").await;
    process.store("a", token, 1).await;
    assert_eq!(
        ear.news_from(&process).await,
        [],
        "nobody waits for this lease"
    );
}

pub(super) async fn a_lease_that_is_given_back_wakes_who_waits(stores: &Stores) {
    let Some(mut ear) = stores.listening().await else {
        return;
    };
    let process = stores.process();
    let token = process.lead("a").await;
    process.release("a", token);
    let released = async || !process.inspect("a").await.leased;
    eventually("it is released", released).await;
    assert_eq!(ear.news_from(&process).await, [], "nobody waits");

    let token = process.lead("a").await;
    process.wait_for("a").await;
    process.release("a", Token::random());
    let other = process.lead("b").await;
    process.wait_for("b").await;
    process.release("b", other);
    ear.hears("`b` is released", |news| *news == wake("b"))
        .await;
    assert_eq!(
        ear.news_from(&process).await,
        [wake("b")],
        "another's token"
    );
    process.release("a", token);
    ear.hears("`a` is released", |news| *news == wake("a"))
        .await;
    assert_eq!(ear.news_from(&process).await, [wake("a")], "once");
}

pub(super) async fn leases_that_are_given_back_together_wake_who_waits_for_them(stores: &Stores) {
    let Some(mut ear) = stores.listening().await else {
        return;
    };
    let (process, other) = (stores.process(), stores.process());
    let mut tokens = Vec::new();
    for key in ["a", "b", "c"] {
        tokens.push((key, process.lead(key).await));
    }
    process.wait_for("a").await;
    process.wait_for("c").await;
    for (key, token) in tokens {
        process.release(key, token);
    }
    process.tier.close(WITHIN).await;
    let names = |news: &News, key: &str| matches!(news, News::Wake(keys) if keys.iter().any(|it| **it == *key));
    ear.hears("`a` is released", |news| names(news, "a")).await;
    ear.hears("`c` is released", |news| names(news, "c")).await;
    let told = ear.news_from(&other).await;
    assert!(
        !told.iter().any(|news| names(news, "b")),
        "nobody waits for `b`: {told:?}"
    );
}

pub(super) async fn a_load_that_may_not_store_wakes_who_waits_for_it(stores: &Stores) {
    let Some(mut ear) = stores.listening().await else {
        return;
    };
    let process = stores.process();
    let newer = process.lead("newer").await;
    process.store("newer", newer, 2).await;
    let token = process.lead_over("newer", newer).await;
    process.wait_for("newer").await;
    let stored = process.store("newer", token, 1).await;
    assert_eq!(stored, Stored::Newer);
    assert_eq!(ear.news_from(&process).await, [wake("newer")]);

    let refused = process.store("newer", token, 3).await;
    assert_eq!(refused, Stored::Refused);
    assert_eq!(ear.news_from(&process).await, [], "nothing was done");
}

pub(super) async fn a_load_that_failed_wakes_who_waits_for_it(stores: &Stores) {
    let Some(mut ear) = stores.listening().await else {
        return;
    };
    let process = stores.process();
    let token = process.lead("a").await;
    assert!(process.fail("a", token, LEASE).await, "the lease stands");
    assert_eq!(ear.news_from(&process).await, [], "nobody waits");
    let token = process.lead("a").await;
    process.wait_for("a").await;
    let refused = process.fail("a", Token::random(), LEASE).await;
    assert!(!refused, "the lease is another's");
    assert_eq!(ear.news_from(&process).await, [], "it still stands");
    assert!(process.fail("a", token, LEASE).await, "the lease stands");
    assert_eq!(ear.news_from(&process).await, [wake("a")], "once");
}

pub(super) async fn a_put_tells_everybody_and_nobody_waits_for_it(stores: &Stores) {
    let Some(mut ear) = stores.listening().await else {
        return;
    };
    let process = stores.process();
    let token = Token::random();
    assert_eq!(process.acquire("a", put(token)).await, Acquired::Lead);
    process.wait_for("a").await;
    let bytes = envelope(token, 1);
    let entry = Store {
        announce: Announce::Everybody,
        ..entry(token, 1, &bytes)
    };
    assert_eq!(process.store_entry("a", entry).await, Stored::Stored);
    assert_eq!(process.store_entry("a", entry).await, Stored::Refused);
    assert_eq!(ear.news_from(&process).await, [gone("a")], "once");

    assert_eq!(process.acquire("a", put(token)).await, Acquired::Lead);
    process.wait_for("a").await;
    process.release("a", token);
    let released = async || !process.inspect("a").await.leased;
    eventually("it is released", released).await;
    assert_eq!(ear.news_from(&process).await, [], "nobody waits for a put");
}

pub(super) async fn evictions_are_told_by_what_they_name(stores: &Stores) {
    let Some(mut ear) = stores.listening().await else {
        return;
    };
    let process = stores.process();
    process.evict("a").await;
    process.expire("a").await;
    let tag = Label::stored("hot");
    process
        .remove_label(Manner::Expire, &tag, Duration::ZERO)
        .await;
    process.sweep("list:*", Manner::Evict).await;
    let expired = |gone: Gone| {
        News::Gone(Gone {
            manner: Manner::Expire,
            ..gone
        })
    };
    let expected = [
        gone("a"),
        expired(Gone {
            keys: vec!["a".into()],
            ..Gone::default()
        }),
        expired(Gone {
            labels: vec![tag.clone()],
            ..Gone::default()
        }),
        News::Gone(Gone {
            patterns: vec![Pattern::parse("list:*")],
            ..Gone::default()
        }),
    ];
    assert_eq!(ear.news_from(&process).await, expected);
    process.evict_and_hold("a", LEASE).await;
    process.remove_label(Manner::Evict, &tag, LEASE).await;
    let told = ear.news_from(&process).await;
    let held = |news: &News| matches!(news, News::Gone(gone) if gone.hold >= LEASE);
    assert!(
        told.len() == 2 && told.iter().all(held),
        "with their holds: {told:?}"
    );
}

/// Makes a change, and looks at it when it is told.
async fn shown(
    ear: &Listening,
    what: &str,
    is_it: impl Fn(&News) -> bool,
    change: impl Future<Output = ()>,
    is_there: impl AsyncFn() -> bool,
) {
    let look = async {
        ear.hears(what, is_it).await;
        assert!(is_there().await, "{what} was told before it was done");
    };
    tokio::join!(change, look);
}

const ROUNDS: usize = 10;

pub(super) async fn a_key_is_gone_when_it_is_told(stores: &Stores) {
    let Some(ear) = stores.listening().await else {
        return;
    };
    let (here, there) = (stores.process(), ear.process.clone());
    for round in 0..ROUNDS {
        let key = &*format!("a:{round}");
        here.fill(key).await;
        here.lead(key).await;
        let is_gone = async || there.inspect(key).await == Default::default();
        let told = |news: &News| *news == gone(key);
        shown(&ear, "an eviction", told, here.evict(key), is_gone).await;
    }
}

pub(super) async fn a_label_is_replaced_when_it_is_told(stores: &Stores) {
    let Some(ear) = stores.listening().await else {
        return;
    };
    let (here, there) = (stores.process(), ear.process.clone());
    for round in 0..ROUNDS {
        let label = Label::stored(&format!("tag:{round}"));
        let before = here.ask(std::slice::from_ref(&label)).await.labels[0];
        let evict = here.remove_label(Manner::Evict, &label, Duration::ZERO);
        let told = |news: &News| matches!(news, News::Gone(gone) if gone.labels.contains(&label));
        let replaced = async || there.standing(&label).await != before;
        shown(&ear, "the eviction of a label", told, evict, replaced).await;
    }
    let told = |news: &News| *news == News::Anew;
    let register = async {
        let _ = here.register("a").await;
    };
    let there_is = async || there.standing(&Label::cache()).await != Standing::Missing;
    shown(
        &ear,
        "the generation of the cache",
        told,
        register,
        there_is,
    )
    .await;
}

pub(super) async fn a_sweep_is_done_when_it_is_told(stores: &Stores) {
    let Some(ear) = stores.listening().await else {
        return;
    };
    let (here, there) = (stores.process(), ear.process.clone());
    for round in 0..ROUNDS {
        let keys = [0, 1, 2].map(|n| format!("list:{round}:{n}"));
        for key in &keys {
            here.fill(key).await;
            here.lead(key).await;
        }
        let pattern = &*format!("list:{round}:*");
        let sweep = async {
            let _ = here.sweep(pattern, Manner::Evict).await;
        };
        let patterns = [Pattern::parse(pattern)];
        let told = |news: &News| matches!(news, News::Gone(gone) if gone.patterns == patterns);
        let done = async || {
            let mut left = 0;
            for key in &keys {
                let found = there.inspect(key).await;
                left += usize::from(found.leased || found.value.is_some());
            }
            left == 0
        };
        shown(&ear, "a sweep", told, sweep, done).await;
    }
}

pub(super) async fn a_value_is_there_when_it_is_told(stores: &Stores) {
    let Some(ear) = stores.listening().await else {
        return;
    };
    let (here, there) = (stores.process(), ear.process.clone());
    for round in 0..ROUNDS {
        let key = &*format!("a:{round}");
        let token = here.lead(key).await;
        there.wait_for(key).await;
        let store = async {
            let _ = here.store(key, token, 1).await;
        };
        let stored = async || there.get(key).await.is_some();
        shown(&ear, "a store", |news| *news == wake(key), store, stored).await;

        let token = Token::random();
        here.acquire(key, put(token)).await;
        let bytes = envelope(token, 1);
        let entry = Store {
            announce: Announce::Everybody,
            ..entry(token, 1, &bytes)
        };
        let put = async {
            let _ = here.store_entry(key, entry).await;
        };
        let stored = async || {
            let found = there.get(key).await;
            found.is_some_and(|found| Token::of_stored(&found) == token)
        };
        shown(&ear, "a put", |news| *news == gone(key), put, stored).await;
    }
}

pub(super) async fn a_note_is_there_when_it_is_told(stores: &Stores) {
    let Some(ear) = stores.listening().await else {
        return;
    };
    let (here, there) = (stores.process(), ear.process.clone());
    for round in 0..ROUNDS {
        let key = &*format!("a:{round}");
        let token = here.lead(key).await;
        there.wait_for(key).await;
        let fail = async {
            let _ = here.fail(key, token, LEASE).await;
        };
        let noted = async || {
            let ask = Acquire {
                heeds_failures: true,
                ..load(Token::random())
            };
            matches!(there.acquire(key, ask).await, Acquired::Failed { .. })
        };
        shown(&ear, "a failure", |news| *news == wake(key), fail, noted).await;
    }
}
