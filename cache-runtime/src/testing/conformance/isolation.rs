//! Caches of different names on one store have nothing in common.

use std::time::Duration;

use super::{
    ear::gone,
    process::{LEASE, Process, is, load},
    stores::{SHOP, Stores},
};
use crate::{
    bus::Manner,
    entry::Token,
    tags::{Label, Standing},
    tiers::{Acquire, Acquired, Stored},
};

/// Names that are easily mistaken for the first one's, or for parts of its keys.
const OTHERS: [&str; 5] = ["shop2", "sho", "shop.a", "SHOP", "shop-"];

fn both(stores: &Stores) -> (Process, Vec<Process>) {
    let others = OTHERS.map(|name| stores.process_of(name));
    (stores.process_of(SHOP), others.into())
}

pub(super) async fn values_are_apart(stores: &Stores) {
    let (shop, others) = both(stores);
    let ours = shop.fill("a").await;
    for other in &others {
        assert_eq!(other.get("a").await, None);
        assert_eq!(other.inspect("a").await, Default::default());
        other.fill("a").await;
        other.expire("a").await;
        other.evict("a").await;
    }
    let found = shop.get("a").await.expect("others were evicted");
    assert_eq!(Token::of_stored(&found), ours);
}

pub(super) async fn leases_are_apart(stores: &Stores) {
    let (shop, others) = both(stores);
    let token = shop.lead("a").await;
    for other in &others {
        assert!(!other.renew("a", token, LEASE).await);
        assert_eq!(other.store("a", token, 1).await, Stored::Refused);
        let led = other.acquire("a", load(Token::random())).await;
        assert_eq!(led, Acquired::Lead, "the other cache's lease is free");
        other.evict("a").await;
    }
    assert_eq!(shop.store("a", token, 1).await, Stored::Stored);
}

pub(super) async fn notes_are_apart(stores: &Stores) {
    let (shop, others) = both(stores);
    let heeding = || Acquire {
        heeds_failures: true,
        ..load(Token::random())
    };
    let token = shop.lead("a").await;
    assert!(shop.fail("a", token, LEASE).await, "the lease stands");
    for other in &others {
        let led = other.acquire("a", heeding()).await;
        assert_eq!(led, Acquired::Lead, "the other cache's load has not failed");
        other.evict("a").await;
    }
    let told = shop.acquire("a", heeding()).await;
    assert!(matches!(told, Acquired::Failed { .. }), "{told:?}");
}

pub(super) async fn holds_are_apart(stores: &Stores) {
    let (shop, others) = both(stores);
    shop.evict_and_hold("a", LEASE).await;
    shop.remove_label(Manner::Evict, &Label::stored("hot"), LEASE)
        .await;
    shop.remove_label(Manner::Evict, &Label::cache(), LEASE)
        .await;
    for other in &others {
        other.fill("a").await;
        is(other.ask(&[Label::stored("hot")]).await.labels[0]);
        is(other.register("a").await);
    }
}

pub(super) async fn labels_are_apart(stores: &Stores) {
    let (shop, others) = both(stores);
    let labels = [
        Label::stored("hot"),
        Label::region("a"),
        Label::scope("user%3A7"),
    ];
    let ours = shop.ask(&labels).await.labels;
    for other in &others {
        assert_eq!(other.standings(&labels).await, [Standing::Missing; 3]);
        let theirs = other.ask(&labels).await.labels;
        assert_ne!(is(theirs[0]).evict, is(ours[0]).evict);
        for label in &labels {
            other
                .remove_label(Manner::Evict, label, Duration::ZERO)
                .await;
        }
    }
    assert_eq!(shop.standings(&labels).await, ours);
}

pub(super) async fn registries_are_apart(stores: &Stores) {
    let (shop, others) = both(stores);
    let ours = shop.register("a").await;
    for other in &others {
        assert_eq!(other.standing(&Label::cache()).await, Standing::Missing);
        assert_eq!(other.regions().await, None);
        assert_ne!(is(other.register("b").await), is(ours));
        assert_eq!(other.regions().await, Some(vec!["b".to_owned()]));
        other
            .remove_label(Manner::Evict, &Label::cache(), Duration::ZERO)
            .await;
    }
    assert_eq!(shop.standing(&Label::cache()).await, ours);
    assert_eq!(shop.regions().await, Some(vec!["a".to_owned()]));
}

pub(super) async fn sweeps_are_apart(stores: &Stores) {
    let (shop, others) = both(stores);
    shop.fill("list:1").await;
    let token = shop.lead("list:2").await;
    for other in &others {
        assert_eq!(other.sweep("*", Manner::Evict).await, 0, "it has none");
        assert_eq!(other.sweep("*", Manner::Expire).await, 0, "it has none");
        other.fill("list:1").await;
        assert_eq!(other.sweep("list:*", Manner::Evict).await, 1, "its own");
    }
    assert_eq!(shop.store("list:2", token, 1).await, Stored::Stored);
    assert_eq!(shop.sweep("*", Manner::Evict).await, 2);
}

pub(super) async fn reclaims_are_apart(stores: &Stores) {
    let (shop, others) = both(stores);
    shop.fill("list:1").await;
    for other in &others {
        assert_eq!(other.reclaim("", &|_, _| true).await, 0, "it has none");
    }
    assert_eq!(shop.reclaim("", &|_, _| true).await, 1);
}

pub(super) async fn messages_are_apart(stores: &Stores) {
    let Some(mut ear) = stores.listening().await else {
        return;
    };
    for name in OTHERS {
        let other = stores.process_of(name);
        other.evict("a").await;
        other.sweep("*", Manner::Evict).await;
        other.register("a").await;
        other
            .remove_label(Manner::Evict, &Label::stored("hot"), Duration::ZERO)
            .await;
    }
    ear.process.evict("b").await;
    assert_eq!(ear.news().await, [gone("b")], "its own alone");
}
