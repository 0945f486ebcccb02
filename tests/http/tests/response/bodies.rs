//! Bodies that are too long, too slow, cut short or no text.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    response::Response,
};
use cache_http::response::ResponseCache;
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::sync::mpsc;

use super::service::{Origin, Service, cache, get};

#[tokio::test]
async fn a_body_that_is_too_long_passes() {
    let service = Service::with(|it| it.max_body(4)).await;
    let request = get("/a").control("max-age=60").field("x-body", "hello");
    for _ in 0..2 {
        let answer = service.send(request.clone()).await;
        assert_eq!(
            (&*answer.body, answer.header("content-length")),
            ("hello", "5")
        );
        assert!(!answer.is_hit());
    }
    assert_eq!(service.origin.calls(), 2);
    let short = get("/b").control("max-age=60").field("x-body", "hell");
    service.send(short.clone()).await;
    assert!(service.send(short).await.is_hit());
}

/// A body that the test sends piece by piece.
struct Pieces(mpsc::Receiver<Result<Bytes, &'static str>>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let next = self.0.poll_recv(cx);
        next.map(|it| it.map(|it| it.map(Frame::data)))
    }
}

/// A service whose next body is what is sent, and its cache.
async fn piecewise(timeout: Duration) -> (Service, mpsc::Sender<Pieces>) {
    let (sender, receiver) = mpsc::channel(4);
    let receiver = std::sync::Arc::new(tokio::sync::Mutex::new(receiver));
    let handler = move || {
        let receiver = std::sync::Arc::clone(&receiver);
        async move {
            let pieces: Pieces = receiver
                .lock()
                .await
                .recv()
                .await
                .expect("a test sends a body for each request");
            let response = Response::builder().header("cache-control", "max-age=60");
            Ok::<_, Infallible>(response.body(Body::new(pieces)).expect("it is a response"))
        }
    };
    let layer = ResponseCache::new(&cache()).body_timeout(timeout);
    let app = Router::new().fallback(handler).layer(layer);
    (Service::start(app, Origin::default()).await, sender)
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_passed_on_as_it_comes() {
    let (service, bodies) = piecewise(Duration::from_millis(50)).await;
    let (pieces, body) = mpsc::channel(4);
    bodies.send(Pieces(body)).await.unwrap();
    pieces.send(Ok(Bytes::from("one "))).await.unwrap();
    let mut response = service.begin(get("/a")).await.unwrap();
    let first = response.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "one ");
    pieces.send(Ok(Bytes::from("two"))).await.unwrap();
    drop(pieces);
    assert_eq!(response.collect().await.unwrap().to_bytes(), "two");
}

#[tokio::test]
async fn a_body_that_breaks_off_breaks_off_for_the_client_and_is_not_stored() {
    let (service, bodies) = piecewise(Duration::from_secs(30)).await;
    let (pieces, body) = mpsc::channel(4);
    bodies.send(Pieces(body)).await.unwrap();
    pieces.send(Ok(Bytes::from("one "))).await.unwrap();
    pieces.send(Err("gone")).await.unwrap();
    // Where the end comes at once, not even the head is sent.
    if let Ok(response) = service.begin(get("/a")).await {
        assert!(response.collect().await.is_err(), "it has broken off");
    }
    let (pieces, body) = mpsc::channel(4);
    bodies.send(Pieces(body)).await.unwrap();
    pieces.send(Ok(Bytes::from("whole"))).await.unwrap();
    drop(pieces);
    let answer = service.send(get("/a")).await;
    assert_eq!(answer.body, "whole", "{}", answer.told());
}
