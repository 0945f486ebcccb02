//! Caches of several names, or several databases, on one server: they share it and nothing else.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, Evict, Key, Policy, Served};
use tests::eventually;
use tests::scenarios::functions::{key, product, save};
use tests::scenarios::origin::{End, Origin};
use tests::scenarios::processes::{ask, connected, has, keys};
use tests::scenarios::shop::{item_key, read};
use tests::server::RedisServer;

/// Names that begin alike, and some that mean something to a glob or a regular expression, were they read as one.
const NAMES: [&str; 7] = [
    "shop",
    "shop2",
    "sho",
    "s-h.o_p",
    "shop.a",
    "s.op",
    "shop-shop",
];

/// An eviction of every kind that reaches an item.
fn evictions(id: u64) -> [Evict; 9] {
    [
        Evict::key(item_key(id)),
        Evict::tag("hot"),
        Evict::tag("late:0"),
        Evict::scope("user:7"),
        Evict::region("catalog:item"),
        Evict::pattern("catalog:*"),
        Evict::pattern("*:item:*"),
        Evict::pattern("*"),
        Evict::all(),
    ]
}

fn called(name: &str, url: &str) -> CacheBuilder {
    Cache::builder(name)
        .redis(url)
        .redis_budget(Duration::from_secs(5))
        .defaults(Policy::new().jitter(0.0))
}

async fn named(server: &RedisServer, name: &str) -> Cache {
    connected(called(name, &server.url())).await
}

/// It has the item in memory, and Redis has it.
async fn warm(cache: &Cache, loads: &AtomicU64, id: u64) -> u64 {
    eventually::some("the item is in both tiers", async || {
        let (value, served) = read(cache, loads, id).await;
        let stored = cache
            .inspect(&item_key(id))
            .await
            .and_then(|info| info.redis);
        (served == Served::Memory && stored.is_some()).then_some(value)
    })
    .await
}

/// Waits until a cache has heard all that was said on the server before: what another of its name says now, it hears last.
async fn hears_all(cache: &Cache, same: &Cache, loads: &AtomicU64) {
    let id = u64::MAX;
    warm(cache, loads, id).await;
    let key = item_key(id);
    same.evict(key.clone()).await.expect("the server is up");
    eventually::holds("it has heard that", async || {
        cache
            .inspect(&key)
            .await
            .is_none_or(|it| it.memory.is_none())
    })
    .await;
}

/// Evicts in one cache all that two processes of another have, in every way.
async fn stays_apart(server: &RedisServer, stranger: &Cache, [one, other]: [&Cache; 2]) {
    let loads = AtomicU64::new(0);
    let value = warm(one, &loads, 1).await;
    eventually::holds("the other has it as well", async || {
        read(other, &loads, 1).await == (value, Served::Memory)
    })
    .await;
    for what in evictions(1) {
        read(stranger, &loads, 1).await;
        stranger.evict(what).await.expect("the server is up");
    }
    let held = Evict::all().hold(Duration::from_secs(600));
    stranger.evict(held).await.expect("the server is up");
    hears_all(one, other, &loads).await;
    hears_all(other, one, &loads).await;
    assert_eq!(read(one, &loads, 1).await, (value, Served::Memory));
    assert_eq!(read(other, &loads, 1).await, (value, Served::Memory));
    let newcomer = named(server, one.name()).await;
    assert_eq!(read(&newcomer, &loads, 1).await, (value, Served::Redis));
}

#[tokio::test]
async fn evictions_of_one_name_reach_nothing_of_another() {
    let server = RedisServer::start().await;
    let (one, other) = (named(&server, "shop").await, named(&server, "shop").await);
    for name in &NAMES[1..] {
        let stranger = named(&server, name).await;
        stays_apart(&server, &stranger, [&one, &other]).await;
    }
}

#[tokio::test]
async fn evictions_in_one_database_reach_nothing_of_another() {
    let server = RedisServer::start().await;
    let (one, other) = (named(&server, "shop").await, named(&server, "shop").await);
    let stranger = connected(called("shop", &format!("{}/1", server.url()))).await;
    stays_apart(&server, &stranger, [&one, &other]).await;
}

#[tokio::test]
async fn what_is_evicted_under_one_name_is_freed_under_no_other() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let source = origin.source();
    let mut caches = Vec::new();
    for name in NAMES {
        caches.push(named(&server, name).await);
    }
    for cache in &caches {
        assert_eq!(ask(cache, &source, 7).await.1, Served::Loaded);
    }
    assert_eq!(keys(&server).await.len(), caches.len());
    for (gone, evict) in (1..).zip([
        Evict::all(),
        Evict::region("product"),
        Evict::pattern("*"),
        Evict::pattern("*duct:?"),
        Key::new("product:7").into(),
    ]) {
        caches[gone - 1].evict(evict).await.unwrap();
        // What only its generation has killed is freed in the background.
        eventually::holds("nothing is left of it, and of no other", async || {
            let left = keys(&server).await;
            let others = &NAMES[gone..];
            assert!(others.iter().all(|name| left.contains(&stored_as(name))));
            left.len() == others.len()
        })
        .await;
        assert!(caches[gone..].iter().all(|cache| cache.health().is_ok()));
        for cache in &caches[gone..] {
            assert_eq!(ask(cache, &source, 7).await.1, Served::Memory);
        }
    }
}

/// What Redis keeps a cache's seventh product under.
fn stored_as(name: &str) -> String {
    format!("{name}:{{{}}}", key(7))
}

/// Product 7 is loaded, stored and served under this name as if nobody else were there.
async fn is_stored(server: &RedisServer, cache: &Cache, origin: &Origin) {
    let (value, served) = ask(cache, &origin.source(), 7).await;
    assert_eq!(served, Served::Loaded);
    assert!(has(server, &stored_as(cache.name())).await);
    let newcomer = named(server, cache.name()).await;
    let again = ask(&newcomer, &origin.source(), 7).await;
    assert_eq!(again, (value, Served::Redis));
}

#[tokio::test]
async fn a_load_under_one_name_makes_nobody_wait_under_another() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other, source) = (
        named(&server, "shop").await,
        named(&server, "shop2").await,
        origin.source(),
    );
    origin.hold(1);
    let held = one.as_current(product(&source, 7));
    let free = async {
        origin.begun(&key(7), 1).await;
        is_stored(&server, &other, &origin).await;
        one.evict(Evict::all()).await.unwrap();
        assert_eq!(keys(&server).await, [stored_as("shop2")]);
        origin.release(End::Value);
    };
    assert_eq!(tokio::join!(held, free).0, Ok(1));
    assert_eq!(keys(&server).await, [stored_as("shop2")]);
}

#[tokio::test]
async fn a_put_under_one_name_refuses_no_store_under_another() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other, source) = (
        named(&server, "shop").await,
        named(&server, "shop2").await,
        origin.source(),
    );
    origin.hold(1);
    let put = one.as_current(save(&source, 7));
    let free = async {
        origin.begun("save:7", 1).await;
        let lease = format!("{}:lease", stored_as("shop"));
        assert!(has(&server, &lease).await);
        is_stored(&server, &other, &origin).await;
        origin.release(End::Value);
    };
    assert!(tokio::join!(put, free).0.is_ok());
    for name in ["shop", "shop2"] {
        assert!(has(&server, &stored_as(name)).await, "both have stored");
    }
}

#[tokio::test]
async fn a_hold_under_one_name_refuses_no_store_under_another() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, other) = (named(&server, "shop").await, named(&server, "shop2").await);
    let long = Duration::from_secs(600);
    for what in [
        Key::new("product:7").into(),
        Evict::region("product"),
        Evict::all(),
    ] {
        one.evict(what.hold(long)).await.unwrap();
        ask(&one, &origin.source(), 7).await;
        assert!(!has(&server, &stored_as("shop")).await, "it is held");
        is_stored(&server, &other, &origin).await;
        other.evict(Key::new("product:7")).await.unwrap();
    }
}
