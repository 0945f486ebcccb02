//! Two instances of a service over one Redis, which dies.

use std::{sync::Arc, time::Duration};

use cache_http::response::ResponseCache;
use cache_runtime::{Cache, Evict};
use tests::{eventually, server::RedisServer};
use tokio::task::JoinSet;

use super::service::{Ask, Service, get};

async fn instance(server: &RedisServer) -> (Arc<Service>, Cache) {
    // On a busy machine a live server may take its time.
    let builder = Cache::builder("shop")
        .redis(server.url())
        .redis_budget(Duration::from_secs(10));
    let cache = builder.build().expect("the settings make sense");
    let ready = cache.ready(Duration::from_secs(30)).await;
    ready.expect("the server is there");
    let layer = ResponseCache::new(&cache).ttl(Duration::from_secs(60));
    (Arc::new(Service::of(layer).await), cache)
}

async fn crowd(services: &[Arc<Service>], request: Ask, each: usize) {
    let mut crowd = JoinSet::new();
    for service in services {
        for _ in 0..each {
            let (service, request) = (Arc::clone(service), request.clone());
            crowd.spawn(async move { service.send_alone(request).await });
        }
    }
    while let Some(answer) = crowd.join_next().await {
        let answer = answer.expect("no request panics");
        assert_eq!(answer.body, "made");
    }
}

#[tokio::test]
async fn instances_share_responses_evictions_and_the_loss_of_redis() {
    let server = RedisServer::start().await;
    let (one, cache) = instance(&server).await;
    let (other, _) = instance(&server).await;
    let both = [Arc::clone(&one), Arc::clone(&other)];
    let calls = || one.origin.calls() + other.origin.calls();

    // A hundred cold requests are one call of a handler, whichever.
    let slow = get("/list?page=1")
        .field("x-body", "made")
        .field("x-take", "200");
    crowd(&both, slow, 50).await;
    assert_eq!(calls(), 1);

    // What one has made, the other has, with what it varies by. A tag that Redis does not know yet is known from the second time on.
    let made = get("/made")
        .field("x-body", "made")
        .say("vary: accept")
        .say("cache-tag: product:7");
    for (accept, asked) in [("a", 2), ("b", 1)] {
        let request = made.clone().field("accept", accept);
        let before = calls();
        one.send(request.clone()).await;
        let first = one.send(request.clone()).await;
        let second = other.send(request).await;
        assert!(second.is_hit(), "{}", second.told());
        assert_eq!(
            (second.header("etag"), second.header("date")),
            (first.header("etag"), first.header("date"))
        );
        assert_eq!(calls(), before + asked);
    }

    // An eviction through one is seen by the other.
    let request = made.field("accept", "a");
    cache.evict(Evict::tag("product:7")).await.unwrap();
    eventually::holds("the other has heard of it", async || {
        !other.send(request.clone()).await.is_hit()
    })
    .await;
    assert!(one.send(request.clone()).await.is_hit());

    // So is a request that changes something.
    one.send(request.clone().method(http::Method::PUT)).await;
    eventually::holds("the other has heard of it", async || {
        !other.send(request.clone()).await.is_hit()
    })
    .await;

    // What is for one alone is for him in the fleet, too, and nobody waits for it twice.
    let private = get("/me")
        .control("private")
        .field("x-body", "made")
        .field("x-take", "50");
    let before = calls();
    crowd(&both, private, 10).await;
    assert_eq!(calls(), before + 20);

    // Without Redis no status changes.
    server.kill();
    for page in 0..20 {
        let request = get(&format!("/list?page={}", page % 5)).field("x-body", "made");
        for service in &both {
            let answer = service.send(request.clone()).await;
            assert_eq!(
                (answer.status.as_u16(), &*answer.body),
                (200, "made"),
                "{}",
                answer.told()
            );
        }
    }
    let change = get("/list")
        .method(http::Method::POST)
        .field("x-body", "made");
    assert_eq!(one.send(change).await.status.as_u16(), 200);
}
