//! What is served past its freshness: while it is made anew, where the handler fails, and never where that is forbidden.

use std::time::Duration;

use cache_http::response::ResponseCache;
use cache_runtime::Cache;
use http::StatusCode;
use tests::{
    eventually::{self, PATIENCE},
    server::RedisServer,
};

use super::service::{Ask, Service, get};

const LIFE: Duration = Duration::from_millis(150);
const WINDOW: Duration = Duration::from_secs(60);

/// A service with something stale at `/a`, of this request.
async fn with_stale(
    change: impl FnOnce(cache_http::response::ResponseCache) -> ResponseCache,
    request: Ask,
) -> Service {
    let service = Service::with(|it| change(it.ttl(LIFE))).await;
    assert!(service.send(request).await.told().contains("stored"));
    tokio::time::sleep(LIFE + Duration::from_millis(50)).await;
    service
}

#[tokio::test]
async fn a_stale_response_is_served_while_it_is_made_anew() {
    let service = with_stale(|it| it.stale_while_revalidate(WINDOW), get("/a")).await;
    let stale = service.send(get("/a")).await;
    assert_eq!(stale.body, "call 1");
    assert!(stale.told().starts_with("hit; ttl=-"), "{}", stale.told());
    eventually::holds("it is made anew", async || {
        service.send(get("/a")).await.body != "call 1"
    })
    .await;
}

#[tokio::test]
async fn a_response_says_for_how_long() {
    let request = get("/a").control("max-age=1, stale-while-revalidate=0");
    let service = Service::with(|it| it.stale_while_revalidate(WINDOW)).await;
    service.send(request.clone()).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(service.send(request).await.body, "call 2");
}

/// A window in which errors are hidden is none in which nothing is asked.
#[tokio::test]
async fn a_response_that_may_only_stand_in_for_a_failure_is_asked_about() {
    let request = get("/a")
        .control("max-age=1, stale-while-revalidate=0")
        .field("x-take", "30");
    let layer = |it: ResponseCache| it.stale_while_revalidate(WINDOW).stale_if_error(WINDOW);
    let service = Service::with(layer).await;
    service.send(request.clone()).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let renewed = service.send(request.clone()).await;
    assert_eq!(renewed.body, "call 2", "{}", renewed.told());
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    service.origin.fail(Some(StatusCode::SERVICE_UNAVAILABLE));
    for _ in 0..2 {
        let hidden = service.send(request.clone()).await;
        assert_eq!(
            (hidden.status.as_u16(), &*hidden.body),
            (200, "call 2"),
            "{}",
            hidden.told()
        );
    }
}

/// The layer allows it, the response forbids it: the caller waits for the new one, of which there is one.
#[tokio::test]
async fn what_must_be_revalidated_is_never_served_stale() {
    for directive in ["must-revalidate", "proxy-revalidate"] {
        let request = get("/a").control(directive).field("x-take", "30");
        let service = with_stale(
            |it| it.stale_while_revalidate(WINDOW).stale_if_error(WINDOW),
            request.clone(),
        )
        .await;
        let renewed = service.send(request.clone()).await;
        assert_eq!(renewed.body, "call 2", "{directive}: {}", renewed.told());
        assert_eq!(service.origin.calls(), 2, "{directive}");
        tokio::time::sleep(LIFE + Duration::from_millis(50)).await;
        service.origin.fail(Some(StatusCode::SERVICE_UNAVAILABLE));
        let failed = service.send(request).await;
        assert_eq!(
            failed.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{directive}: {}",
            failed.told()
        );
    }
}

#[tokio::test]
async fn where_the_handler_fails_a_stale_response_is_better() {
    let service = with_stale(|it| it.stale_if_error(WINDOW), get("/a")).await;
    for status in [500, 502, 503, 504] {
        service
            .origin
            .fail(Some(StatusCode::from_u16(status).unwrap()));
        let hidden = service.send(get("/a")).await;
        assert_eq!(
            (hidden.status.as_u16(), &*hidden.body),
            (200, "call 1"),
            "{}",
            hidden.told()
        );
    }
    // After a failure the handler is left alone for a second.
    assert!(service.origin.calls() < 5);
}

#[tokio::test]
async fn what_is_no_failure_is_the_answer() {
    let service = with_stale(|it| it.stale_if_error(WINDOW), get("/a")).await;
    service.origin.fail(Some(StatusCode::FORBIDDEN));
    assert_eq!(service.send(get("/a")).await.status, StatusCode::FORBIDDEN);
    service.origin.fail(None);
    assert_eq!(
        service.send(get("/a")).await.body,
        "call 3",
        "what was stored is gone"
    );
}

#[tokio::test]
async fn a_window_that_is_over_hides_nothing() {
    let control = "max-age=1, stale-if-error=0";
    let service = Service::with(|it| it.stale_if_error(WINDOW)).await;
    service.send(get("/a").control(control)).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    service.origin.fail(Some(StatusCode::BAD_GATEWAY));
    assert_eq!(
        service.send(get("/a").control(control)).await.status,
        StatusCode::BAD_GATEWAY
    );
}

#[tokio::test]
async fn a_client_may_accept_what_is_stale() {
    let service = with_stale(|it| it.stale_if_error(WINDOW), get("/a")).await;
    let patient = get("/a").field("cache-control", "max-stale=30");
    let stale = service.send(patient).await;
    assert_eq!(stale.body, "call 1", "{}", stale.told());
    let other = with_stale(|it| it.stale_if_error(WINDOW), get("/a")).await;
    assert_eq!(other.send(get("/a")).await.body, "call 2");
}

#[tokio::test]
async fn a_response_in_use_is_refreshed_before_it_ends() {
    let life = Duration::from_secs(10);
    let service = Service::with(|it| it.ttl(life).background_refresh(0.05)).await;
    service.send(get("/a")).await;
    assert!(service.send(get("/a")).await.is_hit());
    let mut asked = 0;
    eventually::holds("it is refreshed", async || {
        asked += 1;
        let answer = service.send(get("/a")).await;
        assert!(answer.is_hit(), "nobody waits: {}", answer.told());
        answer.body == "call 2"
    })
    .await;
    assert!(asked > 1);
}

/// A client that reloads a page takes nothing from the others: what is made for him may stand in for a failure as long as any.
#[tokio::test]
async fn a_client_that_wants_a_new_response_leaves_one_that_outlasts_a_failure() {
    let reload = get("/a").field("cache-control", "no-cache");
    let service = with_stale(|it| it.stale_if_error(WINDOW), reload).await;
    service.origin.fail(Some(StatusCode::SERVICE_UNAVAILABLE));
    let hidden = service.send(get("/a")).await;
    assert_eq!(
        (hidden.status.as_u16(), &*hidden.body),
        (200, "call 1"),
        "{}",
        hidden.told()
    );
}

/// Nor does one that would take anything, however old, make the servers keep it.
#[tokio::test]
async fn a_client_that_accepts_what_is_stale_does_not_have_it_kept() {
    let server = RedisServer::start().await;
    let cache = Cache::builder("shop").redis(server.url()).build().unwrap();
    cache.ready(PATIENCE).await.unwrap();
    let service = Service::of(ResponseCache::new(&cache)).await;
    let request = get("/a")
        .control("max-age=60")
        .field("cache-control", "max-stale");
    assert!(service.send(request).await.told().contains("stored"));
    let keys = server.cli(&["KEYS", "*http:GET*"]).await.list();
    assert!(!keys.is_empty());
    for key in keys {
        let left = server.cli(&["PTTL", &key]).await.int();
        assert!((1..=60_000).contains(&left), "{key}: {left}");
    }
}

/// A limit behind the layer speaks of one client: the others keep what is stored.
#[tokio::test]
async fn what_a_client_is_refused_for_itself_takes_nothing_from_the_others() {
    for status in [408, 425, 429] {
        let service = Service::with(|it| it.ttl(WINDOW)).await;
        service.send(get("/a")).await;
        let status = StatusCode::from_u16(status).unwrap();
        service.origin.fail(Some(status));
        let reload = get("/a").field("cache-control", "no-cache");
        assert_eq!(service.send(reload).await.status, status);
        let other = service.send(get("/a")).await;
        assert_eq!(other.body, "call 1", "{status}: {}", other.told());
    }
}
