//! `#[cache_evict]`: what is evicted, and when.

use cache_runtime::{Cache, Key, Policy, bypass, cache_evict, cacheable, key};
use tests::caches::in_memory;
use tests::entries::leaves;
use tests::origin::Origin;

const POLICY: Policy = Policy::new();

#[cacheable(key = "product:{id}", ttl = "1h")]
async fn product(origin: &Origin, id: u64) -> u64 {
    origin.run().await
}

#[cache_evict(key = "product:{id}")]
async fn one(id: u64) {}

#[cache_evict(keys = ["product:{id}", "product:{id + 1}"], key = "list")]
async fn several(id: u64) {}

#[cache_evict(pattern = "product:1?:{lang}:*")]
async fn by_pattern(lang: &str) {}

#[cache_evict("product:[12]:*")]
async fn positional() {}

#[cache_evict(all)]
async fn everything() {}

#[cache_evict(key = "product:{id}")]
async fn fallible(id: u64, fails: bool) -> Result<(), String> {
    if fails {
        Err("kept".to_owned())
    } else {
        Ok(())
    }
}

#[cache_evict(key = "product:{id}", always)]
async fn always(id: u64) -> Result<(), String> {
    Err("evicted all the same".to_owned())
}

#[cache_evict(key = "product:{id}", before)]
async fn before(cache: &Cache, origin: &Origin, id: u64) -> (Option<u64>, u64) {
    (
        cache.get(&key!("product:{id}")).await,
        product(origin, id).await,
    )
}

#[cache_evict(key = "product:{id}", before)]
async fn before_and_failing(id: u64) -> Result<(), ()> {
    Err(())
}

#[cache_evict(key = "product:{id}", condition = id > 5)]
async fn conditional(id: u64) {}

#[cache_evict(key = "product:{id}")]
#[cache_evict(key = "item:{result}", condition = id > 1)]
#[cache_evict(pattern = "list:*", always)]
async fn stacked(id: u64, fails: bool) -> Result<u64, String> {
    if fails {
        Err(String::new())
    } else {
        Ok(id + 100)
    }
}

#[cache_evict(key = "product:{name}")]
async fn consuming(name: String) -> usize {
    name.into_bytes().len()
}

#[tokio::test]
async fn an_annotated_function_evicts_its_key_and_no_other() {
    let keys = [
        "product:1",
        "product:12",
        "product:1:x",
        "xproduct:1",
        "product",
    ];
    assert_eq!(
        leaves(&keys, one(1)).await,
        ["product", "product:12", "product:1:x", "xproduct:1"]
    );
}

#[tokio::test]
async fn a_call_after_the_eviction_loads() {
    let (cache, origin) = (in_memory(), Origin::open());
    for run in 1..=3 {
        assert_eq!(cache.as_current(product(&origin, 7)).await, run);
        assert_eq!(cache.as_current(product(&origin, 7)).await, run);
        cache.as_current(one(7)).await;
    }
    assert_eq!(cache.stats().total.evictions, 3);
}

#[tokio::test]
async fn several_keys_go_at_once() {
    let keys = ["product:1", "product:2", "product:3", "list"];
    assert_eq!(leaves(&keys, several(1)).await, ["product:3"]);
}

#[tokio::test]
async fn a_pattern_takes_what_it_matches() {
    let keys = [
        "product:12:de:1",
        "product:1:de:1",
        "product:123:de:1",
        "product:12:fr:1",
        "product:12:de",
    ];
    assert_eq!(
        leaves(&keys, by_pattern("de")).await,
        [
            "product:123:de:1",
            "product:12:de",
            "product:12:fr:1",
            "product:1:de:1"
        ]
    );
    let keys = ["product:1:x", "product:2:", "product:3:x", "product:12:x"];
    assert_eq!(
        leaves(&keys, positional()).await,
        ["product:12:x", "product:3:x"]
    );
}

#[tokio::test]
async fn a_star_from_an_argument_is_a_character() {
    let cache = in_memory();
    for lang in ["de", "*", "d?"] {
        cache
            .put(&key!("product:1{0}:{lang}:1"), 1_u64, &POLICY)
            .await
            .unwrap();
    }
    cache.as_current(by_pattern("*")).await;
    let mut left = Vec::new();
    for lang in ["de", "*", "d?"] {
        left.extend(
            cache
                .get::<u64>(&key!("product:1{0}:{lang}:1"))
                .await
                .map(|_| lang),
        );
    }
    assert_eq!(left, ["de", "d?"]);
}

#[tokio::test]
async fn all_is_everything() {
    assert_eq!(
        leaves(&["product:1", "list", "", "a:b:c"], everything()).await,
        Vec::<&str>::new()
    );
}

#[tokio::test]
async fn an_error_evicts_only_where_always_says_so() {
    let keys = ["product:1", "product:2"];
    assert_eq!(leaves(&keys, fallible(1, true)).await, keys);
    assert_eq!(leaves(&keys, fallible(1, false)).await, ["product:2"]);
    assert_eq!(leaves(&keys, always(1)).await, ["product:2"]);
}

#[tokio::test]
async fn before_evicts_before_the_body_and_again_after_it() {
    let (cache, origin) = (in_memory(), Origin::open());
    assert_eq!(cache.as_current(product(&origin, 7)).await, 1);
    let inside = cache.as_current(before(&cache, &origin, 7)).await;
    assert_eq!(inside, (None, 2));
    assert_eq!(
        cache.get::<u64>(&Key::new("product:7")).await,
        None,
        "what the body cached is gone too"
    );
    assert_eq!(
        leaves(&["product:1", "product:2"], before_and_failing(1)).await,
        ["product:2"]
    );
}

#[tokio::test]
async fn a_false_condition_evicts_nothing() {
    let keys = ["product:5", "product:6"];
    assert_eq!(leaves(&keys, conditional(5)).await, keys);
    assert_eq!(leaves(&keys, conditional(6)).await, ["product:5"]);
}

#[tokio::test]
async fn stacked_attributes_are_independent() {
    let keys = ["product:7", "item:107", "list:1"];
    assert_eq!(leaves(&keys, stacked(7, false)).await, Vec::<&str>::new());
    assert_eq!(
        leaves(&keys, stacked(7, true)).await,
        ["item:107", "product:7"]
    );
    assert_eq!(
        leaves(&["product:1", "item:101"], stacked(1, false)).await,
        ["item:101"]
    );
}

#[tokio::test]
async fn the_body_may_consume_the_arguments_of_the_template() {
    assert_eq!(
        leaves(&["product:abc"], consuming("abc".to_owned())).await,
        Vec::<&str>::new()
    );
}

#[tokio::test]
async fn a_bypassed_caller_evicts() {
    assert_eq!(
        leaves(&["product:1"], bypass(one(1))).await,
        Vec::<&str>::new()
    );
}

#[tokio::test]
async fn a_future_that_is_never_polled_evicts_nothing() {
    let keys = ["product:1"];
    assert_eq!(leaves(&keys, async { drop(one(1)) }).await, keys);
}
