//! Evictions of every kind, and who may ask for them.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::server::RedisServer;

use crate::{
    client::{Answer, Ask},
    shop::Shop,
};

async fn evict(shop: &Shop, wish: Value) -> Answer {
    Ask::evict(&wish).allowed().send(shop.address).await
}

/// Whether it loads anew after the eviction: once for the product, once for the basket.
async fn loads_after(shop: &Shop, wish: Value) -> u64 {
    shop.product(7).await;
    shop.basket("a:b", "u:1").await;
    let before = shop.runs();
    let answer = evict(shop, wish.clone()).await;
    assert_eq!(
        (answer.status, &answer.json()["outcome"]),
        (StatusCode::OK, &json!("done")),
        "{wish}: {}",
        answer.text
    );
    shop.product(7).await;
    shop.basket("a:b", "u:1").await;
    shop.runs() - before
}

#[tokio::test]
async fn every_kind_evicts_what_it_says() {
    let redis = RedisServer::start().await;
    let shop = Shop::on(&redis).await;
    for (wish, loads) in [
        (json!({ "kind": "key", "value": "product:7" }), 1),
        (json!({ "kind": "key", "value": "product:8" }), 0),
        (
            json!({ "kind": "key", "value": "basket:a%3Ab:,user%3Au%253A1" }),
            1,
        ),
        (
            json!({ "kind": "key", "value": "basket:a%3Ab", "scope": "user:u%3A1" }),
            1,
        ),
        (json!({ "kind": "key", "value": "basket:a%3Ab" }), 0),
        (json!({ "kind": "tag", "value": "all products" }), 1),
        (json!({ "kind": "tag", "value": "all%20products" }), 1),
        (json!({ "kind": "tag", "value": "products" }), 0),
        (json!({ "kind": "region", "value": "basket" }), 1),
        (json!({ "kind": "region", "value": "product" }), 1),
        (json!({ "kind": "scope", "value": "user:u%3A1" }), 1),
        // The segment, as it is part of the key.
        (json!({ "kind": "scope", "value": "user%3Au%253A1" }), 1),
        (json!({ "kind": "pattern", "value": "prod*" }), 1),
        (json!({ "kind": "pattern", "value": "*a?b" }), 1),
        (json!({ "kind": "all", "confirm": "shop" }), 2),
        (
            json!({ "kind": "pattern", "value": "*", "confirm": "shop" }),
            2,
        ),
        (
            json!({ "kind": "key", "value": "product:7", "expire": true, "cache": "shop" }),
            1,
        ),
    ] {
        assert_eq!(loads_after(&shop, wish.clone()).await, loads, "{wish}");
    }
    let overview = Ask::get("/api/overview")
        .allowed()
        .send(shop.address)
        .await
        .json();
    let last = overview["events"].as_array().unwrap().last().unwrap();
    assert_eq!(last["says"], "Marked as stale: key product:7.");
}

#[tokio::test]
async fn what_another_origin_can_send_changes_nothing() {
    let shop = Shop::in_memory().await;
    shop.product(7).await;
    let wish = json!({ "kind": "key", "value": "product:7" });
    let ask = || Ask::evict(&wish).allowed();
    for (refused, ask) in [
        ("a form", ask().header("content-type", "text/plain")),
        ("no type", ask().without("content-type")),
        ("no header of its own", ask().without("x-cache-admin")),
        ("another site", ask().header("sec-fetch-site", "cross-site")),
        (
            "another origin",
            ask().header("origin", "https://evil.example"),
        ),
    ] {
        let answer = ask.send(shop.address).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{refused}");
    }
    let preflight = Ask::new(Method::OPTIONS, "/api/evict")
        .allowed()
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST");
    let answer = preflight.send(shop.address).await;
    assert!(
        !answer.status.is_success() && !answer.headers.contains_key("access-control-allow-origin")
    );
    let by_link = Ask::get("/api/evict?kind=all&confirm=shop")
        .allowed()
        .send(shop.address)
        .await;
    assert_eq!(by_link.status, StatusCode::METHOD_NOT_ALLOWED);
    shop.product(7).await;
    assert_eq!(shop.runs(), 1, "it is still there");

    let own = ask().header("origin", &format!("http://{}", shop.address));
    assert_eq!(own.send(shop.address).await.status, StatusCode::OK);
    shop.product(7).await;
    assert_eq!(shop.runs(), 2);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_the_reason() {
    let shop = Shop::in_memory().await;
    for (wish, why) in [
        (json!({ "kind": "all" }), "the name of the cache"),
        (
            json!({ "kind": "pattern", "value": "*" }),
            "the name of the cache",
        ),
        (json!({ "kind": "tag", "value": "" }), "`value`"),
        (json!({ "kind": "everything" }), "unknown variant"),
        (
            json!({ "kind": "tag", "value": "a", "scope": "b" }),
            "goes with a key",
        ),
    ] {
        let answer = evict(&shop, wish.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wish}");
        assert!(
            answer.json()["error"].as_str().unwrap().contains(why),
            "{}",
            answer.text
        );
    }
    let answer = evict(
        &shop,
        json!({ "kind": "key", "value": "a", "cache": "goods" }),
    )
    .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let long = json!({ "kind": "key", "value": "x".repeat(1 << 20) });
    assert_eq!(
        evict(&shop, long).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn without_redis_an_eviction_is_queued_and_said_so() {
    let redis = RedisServer::start().await;
    let shop = Shop::on(&redis).await;
    shop.product(7).await;
    redis.kill();
    let answer = evict(&shop, json!({ "kind": "key", "value": "product:7" })).await;
    assert_eq!(
        (answer.status, &answer.json()["outcome"]),
        (StatusCode::ACCEPTED, &json!("queued")),
        "{}",
        answer.text
    );
    let overview = Ask::get("/api/overview")
        .allowed()
        .send(shop.address)
        .await
        .json();
    assert_eq!(overview["caches"][0]["health"]["queued_evictions"], 1);
}
