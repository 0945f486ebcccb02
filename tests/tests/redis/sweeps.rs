//! Freeing what is dead in Redis: in the background, and by one process of the fleet at a time.

use std::time::Duration;

use cache_runtime::{Evict, Served};
use tests::eventually;
use tests::scenarios::origin::Origin;
use tests::scenarios::processes::{ask, keys, names, process};
use tests::server::RedisServer;
use tokio::time::sleep;

const TURN: &str = "shop:{#sweep}:lease";

#[tokio::test]
async fn a_sweep_waits_for_that_of_another_process() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let cache = process(&server).await;
    ask(&cache, &origin.source(), 7).await;
    // A token, and the mark of a load.
    let another = "0123456789abcdefl";
    server.cli(&["SET", TURN, another, "PX", "60000"]).await;
    let mut monitor = server.monitor().await;
    cache
        .evict(Evict::region("product"))
        .await
        .expect("Redis is up");
    sleep(Duration::from_secs(1)).await;
    assert!(!names(&mut monitor).await.contains(&"SCAN".to_owned()));
    assert_eq!(keys(&server).await.len(), 1, "dead, and still there");

    server.cli(&["DEL", TURN]).await;
    eventually::holds("what is dead is freed", async || {
        keys(&server).await.is_empty()
    })
    .await;
    eventually::holds("the turn is given back", async || {
        server.cli(&["EXISTS", TURN]).await.int() == 0
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_scanned_for_dies_by_the_region_around_it() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (one, two) = (process(&server).await, process(&server).await);
    let source = origin.source();
    for cache in [&one, &two] {
        ask(cache, &source, 7).await;
    }
    let acl = ["ACL", "SETUSER", "default", "-scan"];
    server.cli(&acl).await;
    let evicted = one.evict(Evict::pattern("*duct:7")).await;
    evicted.expect("it is evicted, and more than that");
    assert_eq!(ask(&one, &source, 7).await.1, Served::Loaded);
    eventually::holds("the other has heard of it", async || {
        ask(&two, &source, 7).await.1 == Served::Redis
    })
    .await;
}
