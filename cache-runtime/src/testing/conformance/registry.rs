//! The registry of regions, and the generation of the cache in it.

use std::time::Duration;

use super::{
    process::{is, sorted},
    stores::Stores,
};
use crate::{
    bus::{Manner, News},
    tags::{Label, Standing},
    tiers::{LabelEviction, Labels, Register, Removal},
};

pub(super) async fn the_first_to_register_makes_the_generation_and_tells_everybody(
    stores: &Stores,
) {
    let mut ear = stores.listening().await;
    let (one, two) = (stores.process(), stores.process());
    let first = is(one.register("products:list").await);
    assert_eq!(is(two.register("").await), first);
    assert_eq!(is(two.register("users").await), first);
    assert_eq!(is(one.register("users").await), first);
    assert_eq!(two.standing(&Label::cache()).await, Standing::Is(first));
    let regions = one.regions().await.expect("there is a generation");
    assert_eq!(regions, ["", "products:list", "users"]);
    let ask = Removal {
        registry: true,
        ..Removal::default()
    };
    assert_eq!(one.remove(ask).await.cache, Some(Standing::Is(first)));
    if let Some(ear) = &mut ear {
        assert_eq!(ear.news().await, [News::Anew], "once");
    }
}

pub(super) async fn who_has_no_template_registers_none(stores: &Stores) {
    let process = stores.process();
    let ask = Labels {
        register: Some(Register::Nothing),
        ..Labels::default()
    };
    let first = process.labelled(ask).await.cache;
    is(first.expect("the cache was asked for"));
    assert_eq!(process.regions().await, Some(Vec::new()));
    assert_eq!(process.labelled(ask).await.cache, first);
}

pub(super) async fn a_registry_without_a_generation_decides_nothing(stores: &Stores) {
    let process = stores.process();
    assert_eq!(process.regions().await, None, "nobody has registered");
    let tag = Label::stored("hot");
    process.ask(std::slice::from_ref(&tag)).await;
    process
        .remove_label(Manner::Evict, &tag, Duration::ZERO)
        .await;
    assert_eq!(process.regions().await, None, "a tag is not the cache");
    process.register("a").await;
    assert_eq!(process.regions().await, Some(vec!["a".to_owned()]));
}

pub(super) async fn evicting_the_cache_leaves_the_registry(stores: &Stores) {
    let process = stores.process();
    let first = is(process.register("a").await);
    let cache = Label::cache();
    for hold in [Duration::ZERO, Duration::from_secs(60)] {
        let what = Removal {
            labels: &[LabelEviction {
                label: &cache,
                hold,
            }],
            registry: true,
            ..Removal::default()
        };
        let regions = sorted(process.remove(what).await);
        assert_eq!(regions.expect("it has a generation, or a hold"), ["a"]);
        assert_ne!(process.register("a").await, Standing::Is(first));
    }
}

/// Many at once, and none is forgotten.
pub(super) async fn every_region_is_registered(stores: &Stores) {
    let (one, two) = (stores.process(), stores.process());
    let regions: Vec<_> = (0..40).map(|n| format!("r:{n:02}")).collect();
    for pair in regions.chunks(2) {
        let (first, second) = tokio::join!(one.register(&pair[0]), two.register(&pair[1]));
        assert_eq!(is(first), is(second));
    }
    assert_eq!(one.regions().await, Some(regions));
}
