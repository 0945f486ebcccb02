//! Services that know nothing of axum.

use std::convert::Infallible;

use bytes::Bytes;
use cache_http::response::ResponseCache;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt, service_fn};

use super::service::cache;

#[tokio::test]
async fn any_service_of_http_requests_is_cached() {
    let service = service_fn(async |request: Request<Full<Bytes>>| {
        let body = Full::<Bytes>::from(request.uri().path().to_owned());
        let response = Response::builder().header("cache-control", "max-age=60");
        Ok::<_, Infallible>(response.body(body).unwrap())
    });
    let service = ResponseCache::new(&cache()).layer(service);
    for told in ["shop; fwd=uri-miss", "shop; hit"] {
        let request = Request::get("http://shop.example/a");
        let request = request.body(Full::default()).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        let status = response.headers()["cache-status"].to_str().unwrap();
        assert!(status.starts_with(told), "{status}");
        assert_eq!(response.collect().await.unwrap().to_bytes(), "/a");
    }
}
