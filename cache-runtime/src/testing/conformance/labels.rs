//! Generations, and the clock that orders them.

use std::time::{Duration, Instant};

use super::{
    process::{LIFE, is, load},
    stores::{Stores, eventually, lasted},
};
use crate::{
    bus::Manner,
    entry::Token,
    tags::{Label, Standing},
    tiers::{Acquired, Labelled, Labels, Register},
};

fn hot() -> Label {
    Label::stored("hot")
}

/// One of each kind; the cache, which is asked for by registering, is the last.
fn kinds() -> [Label; 4] {
    [
        hot(),
        Label::region("a"),
        Label::scope("user%3A7"),
        Label::cache(),
    ]
}

pub(super) async fn a_label_is_created_once_whoever_asks(stores: &Stores) {
    let (one, two) = (stores.process(), stores.process());
    let [tag, region, scope, cache] = kinds();
    let labels = [tag, region, scope];
    assert_eq!(
        one.standings(&labels).await,
        [Standing::Missing; 3],
        "nobody asked"
    );
    let read = one.read("a", &labels).await;
    assert_eq!(
        read.labels,
        [Standing::Missing; 3],
        "reading creates nothing"
    );
    assert_eq!(
        two.standings(&labels).await,
        [Standing::Missing; 3],
        "nor did that"
    );
    let (first, second) = tokio::join!(one.ask(&labels), two.ask(&labels));
    assert_eq!(first.labels, second.labels);
    assert_eq!(one.standings(&labels).await, first.labels);
    assert_eq!(two.ask(&labels).await.labels, first.labels);
    let [a, b, c] = first.labels[..] else {
        panic!("{first:?}")
    };
    assert!(
        is(a).evict != is(b).evict && is(b).evict != is(c).evict,
        "random"
    );
    assert!(is(a).evict != is(a).expire, "the halves are two numbers");
    assert_eq!(
        one.standing(&cache).await,
        Standing::Missing,
        "nobody registered"
    );
    let (first, second) = tokio::join!(one.register("a"), two.register("b"));
    assert_eq!(is(first), is(second));
    assert_eq!(two.standing(&cache).await, first);
}

pub(super) async fn a_value_is_read_with_its_labels(stores: &Stores) {
    let process = stores.process();
    let token = process.fill("a").await;
    let cache = process.register("a").await;
    let tag = process.ask(&[hot()]).await.labels[0];
    let labels = [Label::region("nobody's"), hot(), Label::cache(), hot()];
    let read = process.read("a", &labels).await;
    let value = read.value.expect("it was stored");
    assert_eq!(Token::of_stored(&value), token);
    assert_eq!(
        read.labels,
        [Standing::Missing, tag, cache, tag],
        "in their order"
    );
    let read = process.read("b", &labels[1..2]).await;
    assert_eq!((read.value, read.labels), (None, vec![tag]));
}

pub(super) async fn a_lease_comes_with_the_answers(stores: &Stores) {
    let process = stores.process();
    let labels = [hot(), Label::region("a")];
    let ask = Labels {
        register: Some(Register::Region("a")),
        labels: &labels,
        life: LIFE,
        clock: true,
    };
    let (led, first) = process
        .acquire_with("led", load(Token::random()), ask)
        .await;
    assert_eq!(led, Acquired::Lead);
    let cache = first.cache.expect("the cache was asked for");
    assert_eq!(
        process.standing(&Label::cache()).await,
        Standing::Is(is(cache))
    );
    assert_eq!(process.standings(&labels).await, first.labels);
    let before = first.clock.expect("the clock was asked for");
    for created in &first.labels {
        assert!(
            !is(*created).made.not_after(before),
            "made after it was asked"
        );
    }
    process.fill("value").await;
    process.lead("held").await;
    process.evict_and_hold("hold", LIFE).await;
    for key in ["value", "held", "hold"] {
        let (acquired, again) = process.acquire_with(key, load(Token::random()), ask).await;
        assert_ne!(acquired, Acquired::Lead, "{key}");
        assert_eq!(
            (again.cache, &again.labels),
            (first.cache, &first.labels),
            "{key}"
        );
        assert!(again.clock.is_some(), "{key}");
    }
    let nothing = Labels::default();
    let answer = process
        .acquire_with("other", load(Token::random()), nothing)
        .await;
    assert_eq!(answer, (Acquired::Lead, Labelled::default()));
}

pub(super) async fn nothing_to_ask_is_answered(stores: &Stores) {
    let process = stores.process();
    let nothing = process.labelled(Labels::default()).await;
    assert_eq!(nothing, Labelled::default());
    assert_eq!(process.standings(&[]).await, []);
    let clock = process.ask(&[]).await.clock;
    assert!(clock.is_some(), "the clock alone");
    let alone = Labels {
        labels: &[hot()],
        life: LIFE,
        ..Labels::default()
    };
    let answer = process.labelled(alone).await;
    assert_eq!((answer.cache, answer.clock), (None, None), "nobody asked");
}

pub(super) async fn an_eviction_replaces_both_halves_and_expire_the_second(stores: &Stores) {
    let (here, there) = (stores.process(), stores.process());
    here.register("a").await;
    here.ask(&kinds()[..3]).await;
    for label in kinds() {
        let of = |standing| is(standing);
        let first = of(here.standing(&label).await);
        there
            .remove_label(Manner::Expire, &label, Duration::ZERO)
            .await;
        let second = of(here.standing(&label).await);
        there
            .remove_label(Manner::Evict, &label, Duration::ZERO)
            .await;
        let third = of(here.standing(&label).await);
        assert_eq!(first.evict, second.evict, "{label:?} expired");
        assert_ne!(first.expire, second.expire, "{label:?} expired");
        assert_ne!(second.evict, third.evict, "{label:?} evicted");
        assert_ne!(second.expire, third.expire, "{label:?} evicted");
        assert_ne!(first.evict, third.evict, "{label:?} is never as it was");
        let asked = match label == Label::cache() {
            true => here.register("a").await,
            false => here.ask(std::slice::from_ref(&label)).await.labels[0],
        };
        assert_eq!(is(asked), third, "{label:?}: a load asks for the new one");
    }
}

pub(super) async fn a_label_nobody_made_can_be_evicted(stores: &Stores) {
    let process = stores.process();
    for (label, manner) in [("a", Manner::Evict), ("b", Manner::Expire)] {
        let label = Label::stored(label);
        process.remove_label(manner, &label, Duration::ZERO).await;
        let before = process.standing(&label).await;
        let asked = is(process.ask(std::slice::from_ref(&label)).await.labels[0]);
        if before != Standing::Missing {
            assert_eq!(before, Standing::Is(asked), "{manner:?}");
        }
    }
    process
        .remove_label(Manner::Evict, &Label::stored("c"), LIFE)
        .await;
    assert_eq!(process.standing(&Label::stored("c")).await, Standing::Held);
}

pub(super) async fn an_eviction_replaces_nothing_else(stores: &Stores) {
    let process = stores.process();
    process.register("a").await;
    let [tag, region, scope, cache] = kinds();
    let more = [
        Label::stored("hot:more"),
        Label::region("a:b"),
        Label::scope("user%3A77"),
    ];
    let labels = [[tag, region, scope], more].concat();
    process.ask(&labels).await;
    let labels = [labels, vec![cache]].concat();
    for (at, label) in labels.iter().enumerate() {
        let before = process.standings(&labels).await;
        process
            .remove_label(Manner::Evict, label, Duration::ZERO)
            .await;
        let mut after = process.standings(&labels).await;
        assert_ne!(after[at], before[at], "{label:?}");
        after[at] = before[at];
        assert_eq!(
            after, before,
            "{label:?} was evicted, and something else was replaced"
        );
    }
}

pub(super) async fn a_hold_equals_nothing_and_ends(stores: &Stores) {
    const HOLD: Duration = Duration::from_secs(2);
    let process = stores.process();
    process.register("").await;
    let before = process.ask(&kinds()[..3]).await.labels;
    let began = Instant::now();
    for label in kinds() {
        process.remove_label(Manner::Evict, &label, HOLD).await;
    }
    assert_eq!(process.standings(&kinds()).await, [Standing::Held; 4]);
    assert_eq!(
        process.ask(&[hot()]).await.labels,
        [Standing::Held],
        "asking leaves it"
    );
    assert_eq!(
        process.register("").await,
        Standing::Held,
        "asking leaves it"
    );
    eventually("the holds end", async || {
        let standings = process.standings(&kinds()).await;
        standings
            .iter()
            .all(|standing| *standing == Standing::Missing)
    })
    .await;
    lasted("a hold", began, HOLD);
    let after = process.ask(&kinds()[..3]).await.labels;
    for (before, after) in before.iter().zip(after) {
        assert_ne!(is(*before).evict, is(after).evict, "never as it was");
    }
    is(process.register("").await);
}

pub(super) async fn a_hold_of_a_label_is_only_ever_extended(stores: &Stores) {
    let process = stores.process();
    process.register("").await;
    let seconds = Duration::from_secs;
    let short = seconds(1);
    for label in kinds() {
        for (hold, manner) in [
            (short, Manner::Evict),
            (LIFE, Manner::Expire),
            (short, Manner::Evict),
            (Duration::ZERO, Manner::Evict),
            (Duration::ZERO, Manner::Expire),
        ] {
            process.remove_label(manner, &label, hold).await;
        }
    }
    process.ask(&kinds()[..3]).await;
    process.register("").await;
    tokio::time::sleep(short * 3 / 2).await;
    assert_eq!(process.standings(&kinds()).await, [Standing::Held; 4]);
}

/// As far as it can be seen in seconds.
pub(super) async fn a_label_lives_as_long_as_the_longest_that_was_asked_for(stores: &Stores) {
    let process = stores.process();
    let labels = [hot(), Label::region("a")];
    let mut first = None;
    for life in [2_000, 6_000, 1] {
        let ask = Labels {
            register: Some(Register::Region("a")),
            labels: &labels,
            life: Duration::from_millis(life),
            ..Labels::default()
        };
        let answer = process.labelled(ask).await;
        let first = first.get_or_insert_with(|| answer.clone());
        assert_eq!(answer, *first, "asking again changes nothing");
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (first, now) = (first.unwrap_or_default(), process.standings(&labels).await);
    assert_eq!(now, first.labels, "six seconds were asked for");
    assert_eq!(
        process.register("").await,
        first.cache.unwrap_or(Standing::Missing)
    );
}

pub(super) async fn the_clock_goes_on_with_every_creation_and_eviction(stores: &Stores) {
    let (process, other) = (stores.process(), stores.process());
    let clock = async || {
        let clock = process.ask(&[]).await.clock;
        clock.expect("the clock was asked for")
    };
    let start = clock().await;
    let answer = other.ask(&[hot(), Label::stored("new")]).await;
    let shown = answer.clock.expect("the clock was asked for");
    for created in &answer.labels {
        let made = is(*created).made;
        assert!(!made.not_after(start), "{made:?}, made after {start:?}");
        assert!(
            !made.not_after(shown),
            "shown was {shown:?}, as it was before"
        );
        assert!(made.not_after(clock().await), "it is there now");
    }
    let known = process.ask(&[hot()]).await;
    let seen = known.clock.expect("the clock was asked for");
    assert!(
        is(known.labels[0]).made.not_after(seen),
        "it was there before"
    );

    other
        .remove_label(Manner::Evict, &hot(), Duration::ZERO)
        .await;
    let evicted = is(process.standing(&hot()).await).made;
    assert!(!evicted.not_after(seen), "evicted after {seen:?}");
    assert!(evicted.not_after(clock().await), "it is there now");
    other
        .remove_label(Manner::Expire, &hot(), Duration::ZERO)
        .await;
    let expired = is(process.standing(&hot()).await).made;
    assert!(!expired.not_after(evicted), "expired after {evicted:?}");
    assert!(expired.not_after(clock().await), "it is there now");
}
