//! Tags, scopes, regions: what an eviction by one of them reaches, and what it leaves.

use cache_runtime::{
    Cache, Evict, Key, Policy, Served, cache_evict, cache_put, cacheable, key, traced,
};
use serde::{Deserialize, Serialize};
use tests::caches::in_memory;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Product {
    id: u64,
    owner: u64,
    tags: Vec<String>,
}

fn made(id: u64) -> Product {
    Product {
        id,
        owner: id % 2,
        tags: vec![format!("mod3:{}", id % 3)],
    }
}

#[cacheable(key = "product:{id}", tags = ["products", "id:{id}", "owner:{result.owner}"], tags_from = |value| value.tags.clone())]
async fn product(id: u64) -> Product {
    made(id)
}

#[cacheable(key = "products:list:{page}", tags = "lists")]
async fn list(page: u64) -> u64 {
    page
}

#[cacheable(key = "products:listing:{page}")]
async fn listing(page: u64) -> u64 {
    page
}

#[cacheable(key = "{kind}:list:{page}")]
async fn any_list(kind: &str, page: u64) -> u64 {
    page + kind.len() as u64
}

#[cacheable(key = "basket", scope = "user:{user}")]
async fn basket(user: &str) -> String {
    user.to_owned()
}

#[cacheable(scope = "{user}")]
async fn by_default_key(user: &str, page: u64) -> u64 {
    page + user.len() as u64
}

#[cache_put(key = "product:{product.id}", tags = ["owner:{result.owner}"], tags_from = |value| value.tags.clone())]
async fn save(product: Product) -> Product {
    product
}

#[cache_evict(tags = ["owner:{result}"])]
async fn evict_owner(owner: u64) -> u64 {
    owner
}

#[cache_evict(scope = "user:{user}")]
async fn log_out(user: &str) {}

#[cache_evict(key = "basket", scope = "user:{user}")]
async fn empty_basket(user: &str) {}

#[cache_evict(region = "products:list", tags = "nobody has it")]
async fn evict_lists() {}

#[cache_evict(tags = "products", expire)]
async fn expire_products() {}

/// Which of these products are still in memory.
async fn left(cache: &Cache, ids: std::ops::Range<u64>) -> Vec<u64> {
    let mut left = Vec::new();
    for id in ids {
        if cache.get::<Product>(&key!("product:{id}")).await.is_some() {
            left.push(id);
        }
    }
    left
}

async fn six_products(cache: &Cache) {
    for id in 0..6 {
        assert_eq!(cache.as_current(product(id)).await, made(id));
    }
    assert_eq!(left(cache, 0..6).await, [0, 1, 2, 3, 4, 5]);
}

async fn served<T>(cache: &Cache, call: impl Future<Output = T>) -> Served {
    let (_, served) = cache.as_current(traced(call)).await;
    served.expect("the call was annotated")
}

#[tokio::test]
async fn a_tag_takes_what_carries_it_and_nothing_else() {
    let cache = in_memory();
    for (tag, stays) in [
        ("products", &[][..]),
        ("id:4", &[0, 1, 2, 3, 5]),
        ("owner:0", &[1, 3, 5]),
        ("mod3:1", &[0, 2, 3, 5]),
        ("nobody has it", &[0, 1, 2, 3, 4, 5]),
    ] {
        six_products(&cache).await;
        cache.evict(Evict::tag(tag)).await.unwrap();
        assert_eq!(left(&cache, 0..6).await, stays, "{tag}");
    }
    six_products(&cache).await;
    cache.evict(Evict::tags(["id:1", "id:2"])).await.unwrap();
    assert_eq!(left(&cache, 0..6).await, [0, 3, 4, 5]);
}

#[tokio::test]
async fn an_attribute_takes_tags_of_its_result() {
    let cache = in_memory();
    six_products(&cache).await;
    assert_eq!(cache.as_current(evict_owner(1)).await, 1);
    assert_eq!(left(&cache, 0..6).await, [0, 2, 4]);
}

#[tokio::test]
async fn what_is_put_carries_its_tags() {
    let cache = in_memory();
    for id in 0..4 {
        cache.as_current(save(made(id))).await;
    }
    cache.evict(Evict::tag("owner:1")).await.unwrap();
    assert_eq!(left(&cache, 0..4).await, [0, 2]);
    cache.evict(Evict::tag("mod3:0")).await.unwrap();
    assert_eq!(left(&cache, 0..4).await, [2]);
}

#[tokio::test]
async fn tags_by_hand_are_those_of_templates() {
    let cache = in_memory();
    let (policy, key) = (Policy::new().tags(["id:9", "hot"]), Key::new("product:9"));
    for tag in ["id:9", "hot"] {
        cache.put(&key, made(9), &policy).await.unwrap();
        cache.evict(Evict::tag(tag)).await.unwrap();
        assert_eq!(left(&cache, 9..10).await, [0; 0]);
    }
    let info = async || cache.inspect(&key).await.and_then(|info| info.memory);
    assert_eq!(info().await, None, "what is dead is not there");
    cache.put(&key, made(9), &policy).await.unwrap();
    assert_eq!(info().await.unwrap().tags, ["hot", "id:9"]);
}

#[tokio::test]
async fn a_region_takes_its_key_and_what_is_below_it() {
    let cache = in_memory();
    let fill = async || {
        cache.as_current(list(1)).await;
        cache.as_current(listing(1)).await;
        cache.as_current(any_list("products", 2)).await;
        cache.as_current(any_list("orders", 2)).await;
        let root = Key::new("products:list");
        cache.put(&root, 1_u64, &Policy::new()).await.unwrap();
    };
    let there = async || {
        let mut there = Vec::new();
        for key in [
            "products:list",
            "products:list:1",
            "products:list:2",
            "products:listing:1",
            "orders:list:2",
        ] {
            if cache.get::<u64>(&Key::new(key)).await.is_some() {
                there.push(key);
            }
        }
        there
    };
    fill().await;
    assert_eq!(there().await.len(), 5);
    cache.as_current(evict_lists()).await;
    assert_eq!(there().await, ["products:listing:1", "orders:list:2"]);
    fill().await;
    cache
        .evict(Evict::pattern("products:list:*"))
        .await
        .unwrap();
    assert!(!there().await.contains(&"products:list:1"));
    assert!(
        !there().await.contains(&"products:list:2"),
        "an argument led there"
    );
    assert!(there().await.contains(&"products:listing:1"));
    fill().await;
    cache.evict(Evict::region("products")).await.unwrap();
    assert_eq!(there().await, ["orders:list:2"]);
}

#[tokio::test]
async fn an_owner_has_entries_of_its_own() {
    let cache = in_memory();
    for user in ["ann", "bob", "ann:1", "*", ""] {
        assert_eq!(cache.as_current(basket(user)).await, user);
    }
    for user in ["ann", "bob", "ann:1", "*", ""] {
        assert_eq!(served(&cache, basket(user)).await, Served::Memory, "{user}");
        assert_eq!(cache.as_current(basket(user)).await, user);
    }
    cache.as_current(log_out("ann")).await;
    cache.as_current(empty_basket("*")).await;
    for (user, is) in [
        ("ann", Served::Loaded),
        ("*", Served::Loaded),
        ("bob", Served::Memory),
        ("ann:1", Served::Memory),
        ("", Served::Memory),
    ] {
        assert_eq!(served(&cache, basket(user)).await, is, "{user}");
    }
}

#[tokio::test]
async fn scopes_by_hand_are_those_of_templates() {
    let cache = in_memory();
    cache.as_current(basket("ann")).await;
    let anns = Key::new("basket").in_scope("user:ann");
    assert_eq!(cache.get::<String>(&anns).await.as_deref(), Some("ann"));
    assert_eq!(cache.get::<String>(&Key::new("basket")).await, None);
    let policy = Policy::new().scope("user:bob");
    let bobs = "bob's own".to_owned();
    cache
        .put(&Key::new("basket"), bobs.clone(), &policy)
        .await
        .unwrap();
    assert_eq!(cache.as_current(basket("bob")).await, bobs);
    cache.evict(Evict::scope("user:ann")).await.unwrap();
    assert_eq!(cache.get::<String>(&anns).await, None);
    assert_eq!(cache.as_current(basket("bob")).await, bobs);
}

#[tokio::test]
async fn scopes_with_arguments_are_named_as_keys_are() {
    let cache = in_memory();
    let long = "x".repeat(600);
    let users = ["ann", "ann:1", "a b", "50%", "*", "", &long];
    for user in users {
        cache.as_current(basket(user)).await;
    }
    for user in users {
        let mine = Key::new("basket").in_scope_named(&key!("user:{user}"));
        assert_eq!(cache.get::<String>(&mine).await.as_deref(), Some(user));
        cache
            .evict(Evict::scope_named(&key!("user:{user}")))
            .await
            .unwrap();
        assert_eq!(cache.get::<String>(&mine).await, None, "{user:?}");
    }
    cache.as_current(basket("ann:1")).await;
    cache.evict(Evict::scope("user:ann:1")).await.unwrap();
    assert_eq!(
        served(&cache, basket("ann:1")).await,
        Served::Memory,
        "of the text the `:` separates"
    );
    cache
        .evict(Evict::scope_named(&key!("user:{\"ann:1\"}")))
        .await
        .unwrap();
    assert_eq!(served(&cache, basket("ann:1")).await, Served::Loaded);
}

#[tokio::test]
async fn a_scope_without_a_text_is_every_scope() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("never serializes"))
        }
    }
    let cache = in_memory();
    let nobody = || key!("user:{Broken}");
    let nobodys = Key::new("basket").in_scope_named(&nobody());
    assert!(cache.put(&nobodys, 1_u64, &Policy::new()).await.is_err());
    cache.as_current(basket("ann")).await;
    cache.evict(Evict::scope_named(&nobody())).await.unwrap();
    assert_eq!(served(&cache, basket("ann")).await, Served::Loaded);
}

#[tokio::test]
async fn patterns_and_regions_speak_of_every_scope() {
    let cache = in_memory();
    for what in [
        Evict::pattern("basket"),
        Evict::pattern("b*t"),
        Evict::region("basket"),
    ] {
        cache.as_current(basket("ann")).await;
        cache.evict(what).await.unwrap();
        assert_eq!(served(&cache, basket("ann")).await, Served::Loaded);
    }
    cache.evict(Evict::pattern("*ann*")).await.unwrap();
    assert_eq!(served(&cache, basket("ann")).await, Served::Memory);
    cache.as_current(by_default_key("ann", 1)).await;
    cache.evict(Evict::scope("ann")).await.unwrap();
    assert_eq!(
        served(&cache, by_default_key("ann", 1)).await,
        Served::Loaded
    );
}

#[tokio::test]
async fn what_is_expired_is_loaded_anew() {
    let cache = in_memory();
    six_products(&cache).await;
    cache.as_current(list(1)).await;
    cache.as_current(expire_products()).await;
    assert_eq!(left(&cache, 0..6).await, [0; 0]);
    assert_eq!(served(&cache, product(1)).await, Served::Loaded);
    assert_eq!(served(&cache, list(1)).await, Served::Memory);
    cache
        .expire(Evict::region("products").and(Evict::key(Key::new("product:1"))))
        .await
        .unwrap();
    assert_eq!(served(&cache, list(1)).await, Served::Loaded);
    assert_eq!(served(&cache, product(1)).await, Served::Loaded);
}

#[tokio::test]
async fn two_sites_of_one_key_with_other_tags_do_not_read_each_other() {
    #[cacheable(key = "shared:{id}", tags = "one")]
    async fn one(id: u64) -> u64 {
        id
    }
    #[cacheable(key = "shared:{id}", tags = "other")]
    async fn other(id: u64) -> u64 {
        id
    }
    let cache = in_memory();
    cache.as_current(one(1)).await;
    assert_eq!(served(&cache, other(1)).await, Served::Loaded);
    cache.evict(Evict::tag("other")).await.unwrap();
    assert_eq!(served(&cache, other(1)).await, Served::Loaded);
}

#[tokio::test]
async fn more_tags_than_an_entry_carries_are_not_stored() {
    #[cacheable(key = "many:{number}", tags_from = |value| (0..*value).map(|tag| tag.to_string()).collect())]
    async fn many(number: u64) -> u64 {
        number
    }
    let cache = in_memory();
    for (number, is) in [(64, Served::Memory), (65, Served::Loaded)] {
        assert_eq!(cache.as_current(many(number)).await, number);
        assert_eq!(served(&cache, many(number)).await, is, "{number}");
    }
}

#[tokio::test]
async fn a_tag_without_a_text_bypasses_the_cache() {
    struct Broken;
    impl Serialize for Broken {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("never serializes"))
        }
    }
    #[cacheable(key = "broken:{id}", tags = ["of:{broken}"])]
    async fn broken(id: u64, broken: Broken) -> u64 {
        let _ = broken;
        id
    }
    let cache = in_memory();
    for _ in 0..2 {
        assert!(matches!(
            served(&cache, broken(1, Broken)).await,
            Served::Bypassed(_)
        ));
    }
    assert_eq!(cache.get::<u64>(&Key::new("broken:1")).await, None);
}
