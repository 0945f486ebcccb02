//! Templates, names and crate paths: what a template may say, and that no name of the user's is in the way.

use std::time::Duration;

use cache_runtime::{
    Cache, Evict, Key, Policy, Served, cache_evict, cache_put, cacheable, key, traced,
};
use serde::{Deserialize, Serialize};
use tests::caches::in_memory;
use tests::origin::Origin;

/// `cache_runtime` as another crate would hand it on.
mod framework {
    pub(crate) mod caching {
        pub(crate) use cache_runtime::*;
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Query {
    page: u64,
    terms: Vec<String>,
}

const REGION: &str = "eu";

struct Shop {
    tenant: String,
    cache: Cache,
}

impl Shop {
    #[cacheable(key = "list:{self.tenant}:{query.page}:{query.terms.len()}:{REGION}")]
    async fn fields(&self, query: &Query) -> u64 {
        query.page
    }

    #[cacheable(key = "{{literal}}:{ {let next = id; next + 1} }:{double(id)}")]
    async fn expressions(id: u64) -> u64 {
        id
    }

    #[cacheable(key = "own:{id}", cache = self.cache)]
    async fn own_cache(&self, id: u64) -> u64 {
        id
    }

    #[cache_evict(key = "own:{id}", cache = self.cache)]
    async fn evict_own(&self, id: u64) {}

    #[cache_put(key = "own:{id}", cache = &self.cache)]
    async fn put_own(&self, id: u64, value: u64) -> u64 {
        value
    }
}

fn double(id: u64) -> u64 {
    id * 2
}

#[cacheable(key = "whole:{query}:{option}")]
async fn whole(query: &Query, option: Option<u64>) -> u64 {
    query.page + option.unwrap_or(0)
}

#[cacheable(key = "{key}:{result}:{cache}:{self_}:{__key}:{site}:{__found}")]
async fn taken(
    key: u64,
    result: u64,
    cache: u64,
    self_: u64,
    __key: u64,
    site: u64,
    __found: u64,
) -> u64 {
    key + result + cache + self_ + __key + site + __found
}

#[cache_evict(key = "{plan}:{guard}:{__plan}:{__out}")]
async fn evicting(plan: u64, guard: u64, __plan: u64, __out: u64) -> u64 {
    plan + guard + __plan + __out
}

#[cache_put(key = "{put}:{__put}:{value}")]
async fn putting(put: u64, __put: u64, value: u64) -> u64 {
    put + __put + value
}

#[cache_evict(key = "product:{result.page}:{result.terms[0]}", keys = ["terms:{result.terms}"])]
async fn by_result(query: Query) -> Result<Query, String> {
    Ok(query)
}

// Names that generated code could have meant are other things here.
mod shadows {
    #![expect(dead_code, reason = "their presence is the test")]

    struct Result;
    struct Option;
    struct Box;
    struct Some;
    struct Duration;
    fn drop() {}
    mod core {}
    mod std {}

    #[cache_runtime::cacheable(key = "shadows:{id}", ttl = "1h", negative_ttl = 5)]
    pub(crate) async fn product(id: u64) -> u64 {
        id
    }
}

#[framework::caching::cacheable(key = "renamed:{id}", crate = crate::templates::framework::caching)]
async fn renamed(origin: &Origin, id: u64) -> u64 {
    origin.run().await
}

#[framework::caching::cache_evict(key = "renamed:{id}", crate = crate::templates::framework::caching)]
async fn evict_renamed(id: u64) {}

#[framework::caching::cache_put(key = "renamed:{id}", crate = crate::templates::framework::caching)]
async fn put_renamed(id: u64) -> u64 {
    id
}

async fn is_stored(cache: &Cache, key: &str) -> bool {
    cache.inspect(&Key::new(key)).await.is_some()
}

fn query(page: u64, terms: &[&str]) -> Query {
    Query {
        page,
        terms: terms.iter().map(|term| (*term).to_owned()).collect(),
    }
}

#[tokio::test]
async fn placeholders_are_expressions_over_the_arguments() {
    let cache = in_memory();
    let shop = Shop {
        tenant: "acme".to_owned(),
        cache: in_memory(),
    };
    cache.as_current(shop.fields(&query(3, &["a", "b"]))).await;
    assert!(is_stored(&cache, "list:acme:3:2:eu").await);
    cache.as_current(Shop::expressions(4)).await;
    assert!(is_stored(&cache, "{literal}:5:8").await);
}

#[tokio::test]
async fn a_whole_struct_and_an_option_are_parts_of_a_key() {
    let cache = in_memory();
    let calls = [
        (query(1, &["a"]), None),
        (query(1, &["a"]), Some(0)),
        (query(1, &["a", ""]), None),
        (query(2, &["a"]), None),
    ];
    for (query, option) in &calls {
        assert_eq!(
            cache.as_current(traced(whole(query, *option))).await.1,
            Some(Served::Loaded)
        );
        assert!(
            cache
                .get::<u64>(&key!("whole:{query}:{option}"))
                .await
                .is_some()
        );
    }
    assert_eq!(cache.stats().total.loads, 4);
}

#[tokio::test]
async fn templates_of_an_eviction_take_fields_of_the_result() {
    let cache = in_memory();
    let query = query(3, &["a:b", "c"]);
    let (by_field, whole) = (
        key!("product:{query.page}:{query.terms[0]}"),
        key!("terms:{query.terms}"),
    );
    for key in [&by_field, &whole, &Key::new("product:3:a:b")] {
        cache.put(key, 1, &Policy::new()).await.unwrap();
    }
    cache.as_current(by_result(query.clone())).await.unwrap();
    assert_eq!(
        (
            cache.get::<u64>(&by_field).await,
            cache.get::<u64>(&whole).await
        ),
        (None, None)
    );
    assert!(is_stored(&cache, "product:3:a:b").await);
}

#[tokio::test]
async fn the_cache_may_be_a_field() {
    let current = in_memory();
    let shop = Shop {
        tenant: String::new(),
        cache: in_memory(),
    };
    current.as_current(shop.own_cache(7)).await;
    assert!(is_stored(&shop.cache, "own:7").await && !is_stored(&current, "own:7").await);
    current.as_current(shop.put_own(7, 70)).await;
    assert_eq!(current.as_current(shop.own_cache(7)).await, 70);
    current.as_current(shop.evict_own(7)).await;
    assert!(!is_stored(&shop.cache, "own:7").await);
}

#[tokio::test]
async fn arguments_may_have_any_name() {
    let cache = in_memory();
    assert_eq!(cache.as_current(taken(1, 2, 3, 4, 5, 6, 7)).await, 28);
    assert!(is_stored(&cache, "1:2:3:4:5:6:7").await);
    cache
        .put(&Key::new("1:2:3:4"), 1, &Policy::new())
        .await
        .unwrap();
    assert_eq!(cache.as_current(evicting(1, 2, 3, 4)).await, 10);
    assert!(!is_stored(&cache, "1:2:3:4").await);
    assert_eq!(cache.as_current(putting(1, 2, 3)).await, 6);
    assert_eq!(cache.get::<u64>(&Key::new("1:2:3")).await, Some(6));
    assert_eq!(cache.as_current(shadows::product(7)).await, 7);
    assert!(is_stored(&cache, "shadows:7").await);
}

#[tokio::test]
async fn a_re_exported_crate_works_the_same() {
    let (cache, origin) = (in_memory(), Origin::open());
    let calls = async {
        assert_eq!(
            (renamed(&origin, 7).await, renamed(&origin, 7).await),
            (1, 1)
        );
        evict_renamed(7).await;
        assert_eq!(renamed(&origin, 7).await, 2);
        put_renamed(7).await;
        assert_eq!(renamed(&origin, 7).await, 7);
        let id = 7;
        framework::caching::Cache::current()
            .evict(framework::caching::key!("renamed:{id}"))
            .await
            .unwrap();
        assert_eq!(renamed(&origin, 7).await, 3);
    };
    cache.as_current(calls).await;
}

#[tokio::test]
async fn keys_by_hand_and_by_template_meet() {
    let cache = in_memory();
    let (id, text) = (7, "a:b");
    assert_eq!(key!("product:{id}"), Key::new("product:7"));
    assert_eq!(key!("product:{text}").as_str(), "product:a%3Ab");
    assert_ne!(key!("product:{text}"), Key::new("product:a:b"));
    assert_eq!(key!("{{x}}"), Key::new("{x}"));
    let evict = Evict::keys([key!("product:{id}")]).hold(Duration::from_secs(1));
    cache
        .put(&Key::new("product:7"), 1, &Policy::new())
        .await
        .unwrap();
    cache.evict(evict).await.unwrap();
    assert_eq!(cache.get::<u64>(&Key::new("product:7")).await, None);
}
