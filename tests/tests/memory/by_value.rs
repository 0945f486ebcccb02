//! Programmatic calls whose values decide: `Policy::{ttl_from, tags_from, unless}`, and the name they are counted under.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cache_runtime::{
    Cache, ErrorKind, Evict, Key, Policy, Refresh, Served, bypass, refresh, traced,
};
use tests::caches::{builder, in_memory, on_manual_clock};
use tests::crowd::Crowd;
use tests::origin::Origin;

const SECOND: Duration = Duration::from_secs(1);

/// Loads what it is told to.
async fn load(cache: &Cache, key: &str, policy: &Policy, value: u64) -> (u64, Served) {
    let key = Key::new(key);
    let call = cache.get_or_load(&key, policy, || async move { value });
    let (value, served) = traced(call).await;
    (value, served.expect("the call reports"))
}

#[tokio::test]
async fn what_unless_refuses_is_returned_and_leaves_what_is_stored() {
    let cache = in_memory();
    let even = Policy::new().unless(|value: &u64| value % 2 == 1);
    assert_eq!(load(&cache, "a", &even, 1).await, (1, Served::Loaded));
    assert_eq!(load(&cache, "a", &even, 2).await, (2, Served::Loaded));
    let forced = refresh(load(&cache, "a", &even, 3)).await;
    assert_eq!(forced.0, 3);
    assert_eq!(load(&cache, "a", &even, 4).await, (2, Served::Memory));

    // A put is told: what is stored is old.
    let key = Key::new("a");
    let refused = cache.put(&key, 5_u64, &even).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unstorable);
    assert_eq!(cache.get::<u64>(&key).await, None);
    cache.put(&key, 6_u64, &even).await.unwrap();
    assert_eq!(cache.get::<u64>(&key).await, Some(6));
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_get_a_value_that_is_refused() {
    let (cache, origin) = (in_memory(), Origin::closed());
    let crowd = Crowd::of(4, |_| {
        let (cache, origin) = (cache.clone(), origin.clone());
        async move {
            let never = Policy::new().unless(|_: &u64| true);
            let load = || async move { origin.run().await };
            cache.get_or_load(&Key::new("a"), &never, load).await
        }
    })
    .await;
    origin.open_gate();
    assert_eq!(crowd.answers().await, [1; 4]);
    let stats = cache.stats().total;
    assert_eq!((stats.loads, stats.shared, stats.misses), (1, 3, 4));
    assert_eq!(cache.get::<u64>(&Key::new("a")).await, None);
}

#[tokio::test]
async fn each_value_has_its_own_ttl() {
    let (cache, clock) = on_manual_clock();
    let own = Policy::new()
        .ttl(3600 * SECOND)
        .ttl_from(|seconds: &u64| Duration::from_secs(*seconds));
    load(&cache, "short", &own, 10).await;
    cache.put(&Key::new("long"), 100_u64, &own).await.unwrap();
    clock.advance(11 * SECOND);
    assert_eq!(load(&cache, "short", &own, 20).await, (20, Served::Loaded));
    assert_eq!(load(&cache, "long", &own, 20).await, (100, Served::Memory));
    // Zero: its successor is known and takes no place.
    assert_eq!(refresh(load(&cache, "long", &own, 0)).await.0, 0);
    assert_eq!(cache.get::<u64>(&Key::new("long")).await, None);
    let refused = cache.put(&Key::new("short"), 0_u64, &own).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unstorable);
    assert_eq!(cache.get::<u64>(&Key::new("short")).await, None);
}

#[tokio::test]
async fn each_value_names_its_own_tags() {
    let cache = in_memory();
    let own = Policy::new()
        .tags(["all"])
        .tags_from(|value: &u64| vec![format!("about:{value}"), format!("about:{value}")]);
    let fill = async || {
        for value in [1, 2] {
            load(&cache, &format!("loaded:{value}"), &own, value).await;
            let key = Key::new(&format!("put:{value}"));
            cache.put(&key, value, &own).await.unwrap();
        }
    };
    let left = async || {
        let mut left = Vec::new();
        for key in ["loaded:1", "put:1", "loaded:2", "put:2"] {
            if cache.get::<u64>(&Key::new(key)).await.is_some() {
                left.push(key);
            }
        }
        left
    };
    fill().await;
    assert_eq!(left().await.len(), 4);
    cache.evict(Evict::tag("about:1")).await.unwrap();
    assert_eq!(left().await, ["loaded:2", "put:2"]);
    fill().await;
    cache.evict(Evict::tag("all")).await.unwrap();
    assert!(left().await.is_empty());
}

#[tokio::test]
async fn a_function_over_another_type_is_not_asked() {
    let cache = in_memory();
    let other = Policy::new()
        .unless(|_: &String| true)
        .ttl_from(|_: &String| Duration::ZERO)
        .tags_from(|_: &String| panic!("it is not asked"));
    load(&cache, "a", &other, 7).await;
    assert_eq!(load(&cache, "a", &other, 8).await, (7, Served::Memory));
    // An `Option` is a type of its own, and its `None` has no ttl but `negative_ttl`.
    let inner = Policy::new()
        .negative_ttl(60 * SECOND)
        .unless(|found: &Option<u64>| *found == Some(0))
        .ttl_from(|_: &Option<u64>| Duration::ZERO);
    let key = Key::new("none");
    let ask = async |found: Option<u64>| {
        let load = || async move { found };
        cache.get_or_load(&key, &inner, load).await
    };
    assert_eq!(ask(Some(0)).await, Some(0));
    assert_eq!(ask(None).await, None);
    assert_eq!(ask(Some(9)).await, None, "the absence is stored");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_in_the_background_asks_as_well() {
    let cache = builder().tokio_clock().build().unwrap();
    let key = Key::new("a");
    let policy = Policy::new()
        .ttl(10 * SECOND)
        .background_refresh(0.5)
        .unless(|value: &u64| *value == 2)
        .ttl_from(|_: &u64| 100 * SECOND);
    let loads = std::sync::Arc::new(AtomicU64::new(0));
    let ask = async || {
        let loads = loads.clone();
        let load = move |_| {
            let value = loads.fetch_add(1, Ordering::SeqCst) + 1;
            async move { Ok::<_, String>(Refresh::Value(value)) }
        };
        cache.try_get_or_refresh(&key, &policy, load).await.unwrap()
    };
    assert_eq!(ask().await, 1);
    tokio::time::sleep(60 * SECOND).await;
    // The second value is refused and the third is not; the first is served meanwhile.
    for expected in [1, 1, 3] {
        assert_eq!(ask().await, expected);
        tokio::time::sleep(5 * SECOND).await;
    }
    assert_eq!(loads.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_call_is_counted_under_the_name_of_its_site() {
    let cache = in_memory();
    let named = Policy::new().site("response");
    load(&cache, "a", &named, 1).await;
    load(&cache, "a", &named, 2).await;
    bypass(load(&cache, "a", &named, 3)).await;
    cache.put(&Key::new("b"), 1_u64, &named).await.unwrap();
    load(&cache, "c", &Policy::new(), 1).await;
    let stats = cache.stats();
    let site = &stats.sites["response"];
    assert_eq!(
        (site.loads, site.l1_hits, site.bypassed, site.puts),
        (1, 1, 1, 1)
    );
    assert_eq!(stats.sites["get_or_load"].loads, 1);
    assert_eq!(stats.total.loads, 2);
}

#[tokio::test]
async fn so_many_names_are_kept_and_no_more() {
    let cache = in_memory();
    let long = "x".repeat(129);
    load(&cache, "a", &Policy::new().site(&*long), 1).await;
    for number in 0..300 {
        let policy = Policy::new().site(format!("site {number}"));
        load(&cache, &format!("a:{number}"), &policy, 1).await;
    }
    let stats = cache.stats();
    assert_eq!(stats.sites.len(), 257);
    assert_eq!(stats.sites["get_or_load"].loads, 1 + 300 - 256);
    assert_eq!(stats.total.loads, 301);
}

#[test]
fn defaults_have_none_of_it() {
    let policies = [
        ("site", Policy::new().site("a")),
        ("ttl_from", Policy::new().ttl_from(|_: &u64| SECOND)),
        ("tags_from", Policy::new().tags_from(|_: &u64| Vec::new())),
        ("unless", Policy::new().unless(|_: &u64| true)),
        ("tags", Policy::new().tags(["a"])),
        ("scope", Policy::new().scope("a")),
    ];
    for (name, policy) in policies {
        let built = Cache::builder("shop").defaults(policy).build();
        let error = built.expect_err("it belongs to single calls").to_string();
        assert!(error.contains(&format!("`defaults.{name}`")), "{error}");
    }
}
