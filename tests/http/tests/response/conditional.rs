//! `ETag`, `If-None-Match`, `If-Modified-Since` and 304: the client's and the cache's own.

use std::time::Duration;

use http::StatusCode;

use super::service::{Service, get};

const EARLIER: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const LATER: &str = "Mon, 07 Nov 1994 08:49:37 GMT";

#[tokio::test]
async fn a_body_without_a_tag_gets_one_by_which_it_is_not_sent_again() {
    let service = Service::with(|it| it).await;
    let request = get("/a")
        .control("max-age=60")
        .say("content-type: text/plain");
    let first = service.send(request.clone()).await;
    let etag = first.header("etag");
    assert!(etag.starts_with('"') && etag.len() == 34, "{etag}");
    let again = service
        .send(request.clone().field("if-none-match", etag))
        .await;
    assert_eq!((again.status, &*again.body), (StatusCode::NOT_MODIFIED, ""));
    assert!(again.is_hit(), "{}", again.told());
    assert_eq!(again.header("etag"), etag);
    assert_eq!(
        (again.header("content-type"), again.header("cache-control")),
        ("", "max-age=60")
    );
    let other = service.send(request.field("if-none-match", "\"x\"")).await;
    assert_eq!((other.status, &*other.body), (StatusCode::OK, "call 1"));
    assert_eq!(service.origin.calls(), 1);
}

#[tokio::test]
async fn a_tag_is_given_only_where_it_is_wanted_and_to_what_is_stored() {
    let service = Service::with(|it| it.etag(false)).await;
    let answer = service.send(get("/a").control("max-age=60")).await;
    assert_eq!(answer.header("etag"), "");
    let service = Service::with(|it| it).await;
    let answer = service.send(get("/a").control("no-store")).await;
    assert_eq!(answer.header("etag"), "");
    let own = get("/b").control("max-age=60").say("etag: W/\"mine\"");
    assert_eq!(service.send(own).await.header("etag"), "W/\"mine\"");
}

#[tokio::test]
async fn a_conditional_request_fills_the_cache_with_the_whole() {
    let service = Service::with(|it| it).await;
    let request = get("/a").control("max-age=60").say("etag: \"1\"");
    let first = service
        .send(request.clone().field("if-none-match", "\"1\""))
        .await;
    assert_eq!((first.status, &*first.body), (StatusCode::NOT_MODIFIED, ""));
    assert!(!service.origin.seen().contains_key("if-none-match"));
    let whole = service.send(request).await;
    assert_eq!((whole.status, &*whole.body), (StatusCode::OK, "call 1"));
}

#[tokio::test]
async fn a_client_with_a_date_is_answered_by_the_date() {
    let service = Service::with(|it| it).await;
    let request = get("/a")
        .control("max-age=60")
        .say(&format!("last-modified: {EARLIER}"));
    service.send(request.clone()).await;
    let status = async |since: &str| {
        let request = request.clone().field("if-modified-since", since);
        service.send(request).await.status
    };
    assert_eq!(status(LATER).await, StatusCode::NOT_MODIFIED);
    assert_eq!(status(EARLIER).await, StatusCode::NOT_MODIFIED);
    assert_eq!(
        status("Sat, 05 Nov 1994 08:49:37 GMT").await,
        StatusCode::OK
    );
    assert_eq!(service.origin.calls(), 1);
}

#[tokio::test]
async fn what_is_not_shared_is_compared_with_what_the_client_has_as_well() {
    let service = Service::with(|it| it).await;
    let request = get("/a").control("private, max-age=60").say("etag: \"1\"");
    for _ in 0..2 {
        let answer = service
            .send(request.clone().field("if-none-match", "\"1\""))
            .await;
        assert_eq!(
            (answer.status, &*answer.body),
            (StatusCode::NOT_MODIFIED, ""),
            "{}",
            answer.told()
        );
    }
}

/// A 304 in the place of a response that nobody else has seen tells all of it but the body.
#[tokio::test]
async fn a_cookie_is_set_by_a_304_as_well() {
    let service = Service::with(|it| it).await;
    let request = get("/a")
        .control("private")
        .say("etag: \"1\"")
        .say("content-type: text/plain")
        .say("set-cookie: a=b");
    let answer = service.send(request.field("if-none-match", "\"1\"")).await;
    assert!(!service.origin.seen().contains_key("if-none-match"));
    assert_eq!(
        (answer.status, &*answer.body),
        (StatusCode::NOT_MODIFIED, "")
    );
    assert_eq!(
        (answer.header("set-cookie"), answer.header("content-type")),
        ("a=b", "")
    );
}

/// The handler is asked whether what is stored is still the one, and says so: its body is kept, its header fields are renewed.
#[tokio::test]
async fn what_is_stored_is_confirmed_by_a_304() {
    let service = Service::with(|it| {
        it.ttl(Duration::from_millis(1_500))
            .stale_if_error(Duration::from_secs(60))
    })
    .await;
    let request = get("/a").say("etag: \"1\"");
    let first = service
        .send(request.clone().say("x-a: 1").say("cache-tag: t"))
        .await;
    assert_eq!((&*first.body, first.header("cache-tag")), ("call 1", ""));
    tokio::time::sleep(Duration::from_millis(1_600)).await;
    let confirmed = service.send(request.clone().say("x-a: 2")).await;
    assert_eq!(service.origin.seen()["if-none-match"], "\"1\"");
    assert_eq!(
        (confirmed.status, &*confirmed.body),
        (StatusCode::OK, "call 1")
    );
    assert_eq!((confirmed.header("x-a"), service.origin.calls()), ("2", 2));
    assert!(
        confirmed.told().starts_with("fwd=stale; fwd-status=304"),
        "{}",
        confirmed.told()
    );
    let hit = service.send(request).await;
    assert!(hit.is_hit() && hit.header("x-a") == "2", "{}", hit.told());
}

/// The digest of a body says nothing to a handler that has not made it.
#[tokio::test]
async fn the_handler_is_not_asked_about_a_tag_that_is_not_its_own() {
    let service = Service::with(|it| {
        it.ttl(Duration::from_millis(100))
            .stale_if_error(Duration::from_secs(60))
    })
    .await;
    service.send(get("/a")).await;
    tokio::time::sleep(Duration::from_millis(150)).await;
    let renewed = service.send(get("/a")).await;
    assert!(!service.origin.seen().contains_key("if-none-match"));
    assert_eq!(&*renewed.body, "call 2");
}
