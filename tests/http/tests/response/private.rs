//! Nothing that is for one is ever served to another.

use std::sync::Arc;

use cache_http::response::ResponseCache;
use cache_runtime::{Cache, Evict};
use http::Method;
use tests::{eventually::PATIENCE, server::RedisServer};
use tokio::task::JoinSet;

use super::service::{Ask, Service, cache, get};

/// What a response says that makes it somebody's own, and how somebody shows who he is.
const PRIVATE: [(&str, &str); 9] = [
    ("authorization", "max-age=60"),
    ("authorization", "max-age=60, private"),
    ("authorization", "public, s-maxage=60, no-store"),
    ("cookie", "max-age=60"),
    ("cookie", "max-age=60, private=\"x\""),
    ("cookie", "max-age=60, must-revalidate"),
    ("x-user", "private, max-age=60"),
    ("x-user", "no-cache, max-age=60"),
    ("x-user", "max-age=60, vary"),
];

/// A request whose response is its sender's own, as one of the ways has it.
fn own(rng: &mut fastrand::Rng, user: usize) -> Ask {
    let (field, control) = PRIVATE[rng.usize(..PRIVATE.len())];
    let (user, path) = (format!("user-{user}"), format!("/{}", rng.usize(..3)));
    let request = get(&path).field(field, &user).field("x-body", &user);
    let request = match control {
        "max-age=60, vary" => request.control("max-age=60").say("vary: x-user"),
        control => request.control(control),
    };
    let request = match rng.usize(..6) {
        0 => request.field("cache-control", "no-cache"),
        1 => request.field("cache-control", "max-stale"),
        2 => request.field("if-none-match", "\"x\""),
        3 => request.field("x-take", "3"),
        _ => request,
    };
    match rng.usize(..8) {
        0 => request.say(&format!("set-cookie: a={user}")),
        1 => request.field("x-status", "500"),
        _ => request,
    }
}

/// Anybody's request, for the same paths.
fn anybodys(rng: &mut fastrand::Rng) -> Ask {
    let request = get(&format!("/{}", rng.usize(..3))).field("x-body", "all");
    match rng.usize(..8) {
        0 => request.method(Method::POST),
        1 => request
            .control("max-age=60")
            .field("cache-control", "only-if-cached"),
        _ => request.control("max-age=60").field("x-take", "2"),
    }
}

/// Clients that send what is theirs and what is everybody's, all at once and in an order nobody chose, with evictions between.
async fn mingle(services: Vec<Service>, cache: Cache, seed: u64) {
    println!("seed {seed}");
    let (services, mut clients) = (Arc::new(services), JoinSet::new());
    for user in 0..8 {
        let (services, cache) = (Arc::clone(&services), cache.clone());
        let mut rng = fastrand::Rng::with_seed(seed.wrapping_add(user as u64));
        clients.spawn(async move {
            for _ in 0..60 {
                let service = &services[rng.usize(..services.len())];
                match rng.usize(..10) {
                    0 => {
                        let evicted = cache.evict(Evict::region("http")).await;
                        evicted.expect("nobody stops Redis");
                    }
                    1..4 => {
                        let answer = service.send_alone(anybodys(&mut rng)).await;
                        let body = &*answer.body;
                        let fits = body == "all" || (body.is_empty() && answer.status == 504);
                        assert!(fits, "seed {seed}: {answer:?}");
                    }
                    _ => {
                        let request = own(&mut rng, user);
                        let answer = service.send_alone(request.clone()).await;
                        let body = &*answer.body;
                        let user = format!("user-{user}");
                        // What is for all may answer who shows nothing that a cache knows of.
                        let by_field = format!("{request:?}").contains("x-user");
                        let fits = body == user || (by_field && body == "all");
                        assert!(fits, "seed {seed}: {request:?}: {answer:?}");
                        let cookie = answer.header("set-cookie");
                        assert!(
                            cookie.is_empty() || cookie == format!("a={user}"),
                            "seed {seed}: {answer:?}"
                        );
                    }
                }
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.expect("nobody gets what is not his");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_gets_what_is_anothers() {
    let cache = cache();
    let service = Service::of(ResponseCache::new(&cache)).await;
    mingle(vec![service], cache, fastrand::u64(..)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_gets_what_is_anothers_where_stale_responses_are_served() {
    let cache = cache();
    let window = std::time::Duration::from_secs(60);
    let layer = ResponseCache::new(&cache)
        .ttl(std::time::Duration::from_millis(5))
        .stale_while_revalidate(window)
        .stale_if_error(window)
        .background_refresh(0.1);
    mingle(vec![Service::of(layer).await], cache, fastrand::u64(..)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_gets_what_is_anothers_through_another_instance() {
    let server = RedisServer::start().await;
    let instance = async || {
        let cache = Cache::builder("shop").redis(server.url()).build().unwrap();
        cache.ready(PATIENCE).await.unwrap();
        (Service::of(ResponseCache::new(&cache)).await, cache)
    };
    let ((one, cache), (other, _)) = (instance().await, instance().await);
    mingle(vec![one, other], cache, fastrand::u64(..)).await;
}

/// Each owner has a cache of his own, in which also `private` responses are kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn owners_have_responses_of_their_own() {
    let cache = cache();
    let layer = ResponseCache::new(&cache).private_by(|head| {
        let user = head.headers.get("x-verified")?.to_str().ok()?;
        Some(format!("user:{user}"))
    });
    let service = Service::of(layer).await;
    let request = |user: &str| {
        let request = get("/me")
            .control("private, max-age=60")
            .field("x-verified", user);
        request.field("x-body", user).field("authorization", user)
    };
    for user in ["ann", "bob", "ann", "bob"] {
        assert_eq!(service.send(request(user)).await.body, user);
    }
    assert_eq!(service.origin.calls(), 2);
    cache.evict(Evict::scope("user:ann")).await.unwrap();
    assert!(service.send(request("bob")).await.is_hit());
    assert!(!service.send(request("ann")).await.is_hit());
    let nobody = get("/me")
        .control("private, max-age=60")
        .field("x-body", "nobody");
    for _ in 0..2 {
        assert_eq!(service.send(nobody.clone()).await.body, "nobody");
    }
    let never = request("ann").say("set-cookie: a=b");
    cache.evict(Evict::all()).await.unwrap();
    service.send(never.clone()).await;
    assert!(
        !service.send(never).await.is_hit(),
        "a cookie is set for one client, not for one user"
    );
}
