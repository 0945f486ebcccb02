//! What surrounds the use cases: documentation, administration, figures.

use std::collections::BTreeSet;

use cache_runtime::Cache;
use hyper::Method;
use metrics_exporter_prometheus::PrometheusBuilder;
use product_service::config::Config;
use product_service::db::Db;
use product_service::http::router;
use product_service::shop::Shop;
use serde_json::json;

use crate::kit::{Client, Settings};
use crate::shop::tent;

/// Routes for machines and pages that are not part of the API, and those of the administration.
const NOT_DOCUMENTED: [&str; 3] = ["/docs", "/metrics", "/admin/cache"];

/// The paths of the router the service has, read from what axum says of it, since it has no list of them.
async fn paths_of_the_router() -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    let url = format!("sqlite://{}/shop.db", folder.path().display());
    let (db, _) = Db::open(&url).await.expect("the folder is writable");
    let cache = Cache::builder("routes")
        .build()
        .expect("it has no bad setting");
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let said = format!(
        "{:?}",
        router(Shop::new(db, cache), &Config::default(), metrics)
    );
    let (said, _) = said
        .split_once("fallback_router")
        .expect("axum says something else than it did");
    let quoted = said.split('"').skip(1).step_by(2);
    let paths: BTreeSet<String> = quoted
        .filter(|text| text.starts_with('/'))
        .map(str::to_owned)
        .collect();
    assert!(
        paths.contains("/healthz"),
        "axum says something else than it did: {said}"
    );
    paths
}

/// What a path answers to, as it says itself when it is asked for what it cannot.
async fn methods(client: &Client, path: &str) -> BTreeSet<String> {
    let path = path.replace("{id}", "00000000-0000-7000-8000-000000000000");
    let answer = client.send(Method::TRACE, &path, None).await;
    assert_eq!(answer.status, 405, "{path}: {}", answer.text());
    let allowed = answer
        .header("allow")
        .split(',')
        .filter(|method| *method != "HEAD");
    allowed.map(str::to_lowercase).collect()
}

#[tokio::test]
async fn every_route_is_documented_and_everything_documented_is_a_route() {
    let client_of = Settings::new().start();
    let client = client_of.client();
    let document = client.get("/docs/openapi.json").await.expect(200);
    let documented = document["paths"].as_object().expect("it has paths");
    let mut routes = paths_of_the_router().await;
    routes.retain(|route| {
        !NOT_DOCUMENTED
            .iter()
            .any(|prefix| route.starts_with(prefix))
    });
    assert_eq!(routes, documented.keys().cloned().collect());
    for (path, operations) in documented {
        let operations = operations.as_object().expect("it has methods");
        assert_eq!(
            methods(&client, path).await,
            operations.keys().cloned().collect(),
            "{path}"
        );
    }
}

#[tokio::test]
async fn documentation_loads_from_here_alone() {
    let instance = Settings::new().start();
    let client = instance.client();
    assert_eq!(client.get("/docs").await.header("location"), "/docs/");
    let page = client.get("/docs/").await.text();
    let references: Vec<&str> = ["src=\"", "href=\""]
        .iter()
        .flat_map(|attribute| page.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(references.len() >= 4, "{page}");
    for reference in references {
        assert!(!reference.contains("//"), "{reference} is elsewhere");
        let file = client
            .get(&format!("/docs/{}", reference.trim_start_matches("./")))
            .await;
        assert_eq!(file.status, 200, "{reference}");
        if reference.ends_with(".css") {
            let text = file.text();
            assert!(
                !text.contains("@import") && !text.contains("url(http") && !text.contains("url(//"),
                "{reference}"
            );
        }
    }
    let start = client.get("/docs/swagger-initializer.js").await.text();
    assert!(start.contains("/docs/openapi.json"), "{start}");
    assert!(
        start.contains(r#""validatorUrl": "none""#) && !start.contains("http"),
        "{start}"
    );
}

#[tokio::test]
async fn administration_is_for_who_has_the_token() {
    let instance = Settings::new()
        .with("ADMIN_TOKEN", "a-token-of-the-tests")
        .start();
    let client = instance.client();
    assert!(!instance.log().contains("a-token-of-the-tests"));
    assert_eq!(client.get("/admin/cache/").await.status, 401);
    let wrong = client.clone().with("authorization", "Bearer another token");
    assert_eq!(wrong.get("/admin/cache/api/overview").await.status, 401);
    let admin = client
        .clone()
        .with("authorization", "Bearer a-token-of-the-tests")
        .with("x-cache-admin", "1");
    assert!(admin.get("/admin/cache/").await.text().contains("<html"));

    // What it evicts is evicted: here, and from the responses.
    let place = client
        .post("/api/products", &tent())
        .await
        .header("location")
        .to_owned();
    client.get(&place).await.expect(200);
    let found = instance.queries("find").await;
    let key = place.replace("/api/products/", "product:");
    admin
        .post(
            "/admin/cache/api/evict",
            &json!({ "kind": "key", "value": key }),
        )
        .await
        .expect(200);
    admin
        .post(
            "/admin/cache/api/evict",
            &json!({ "kind": "tag", "value": key }),
        )
        .await
        .expect(200);
    client.get(&place).await.expect(200);
    assert_eq!(instance.queries("find").await, found + 1);
    admin.get("/admin/cache/api/overview").await.expect(200);
}

#[tokio::test]
async fn every_response_has_the_id_of_its_request() {
    let instance = Settings::new().start();
    let client = instance.client();
    let one = client
        .get("/api/products")
        .await
        .header("x-request-id")
        .to_owned();
    let two = client
        .get("/nowhere")
        .await
        .header("x-request-id")
        .to_owned();
    assert!(!one.is_empty() && !two.is_empty() && one != two);
    let traced = client
        .with("x-request-id", "from-the-proxy")
        .get("/healthz")
        .await;
    assert_eq!(traced.header("x-request-id"), "from-the-proxy");
}

#[tokio::test]
async fn figures_are_by_route_and_not_by_path() {
    let instance = Settings::new().start();
    let client = instance.client();
    let list = client.get("/api/products?size=3").await.expect(200);
    for item in list["items"].as_array().expect("it has items") {
        client
            .get(&format!(
                "/api/products/{}",
                item["id"].as_str().expect("it has one")
            ))
            .await
            .expect(200);
    }
    client.get("/nowhere/to/be/found").await.expect(404);
    let metrics = client.get("/metrics").await.text();
    assert!(
        metrics.contains(
            r#"http_requests_total{method="GET",route="/api/products/{id}",status="200"} 3"#
        ),
        "{metrics}"
    );
    assert!(
        metrics.contains(r#"http_requests_total{method="GET",route="none",status="404"} 1"#),
        "{metrics}"
    );
}

#[tokio::test]
async fn responses_are_kept_until_what_they_show_changes() {
    let instance = Settings::new().start();
    let client = instance.client();
    let place = client
        .post("/api/products", &tent())
        .await
        .header("location")
        .to_owned();
    let lists = [
        "/api/products?category=outdoor",
        "/api/products?category=garden",
        "/api/products",
    ];
    let status = async |path: &str| client.get(path).await.header("cache-status").to_owned();
    for path in lists.into_iter().chain([place.as_str()]) {
        assert!(status(path).await.contains("stored"), "{path}");
        let kept = client.get(path).await;
        assert!(
            kept.header("cache-status").contains("hit"),
            "{path}: {:?}",
            kept.headers
        );
        assert!(!kept.headers.contains_key("cache-tag"));
        let known = client
            .clone()
            .with("if-none-match", kept.header("etag"))
            .get(path)
            .await;
        assert_eq!(
            (known.status.as_u16(), known.body.len()),
            (304, 0),
            "{path}"
        );
    }
    // Clients keep them as well, and ask again each time, for nothing of theirs can be evicted.
    for path in [
        lists[0],
        &place,
        "/api/products/none",
        "/api/products?size=0",
    ] {
        let asks_again = client.get(path).await;
        assert_eq!(asks_again.header("cache-control"), "no-cache", "{path}");
    }
    let kept = client.get(lists[0]).await;
    let known = client
        .clone()
        .with("if-none-match", kept.header("etag"))
        .get(lists[0])
        .await;
    assert_eq!(
        (known.status.as_u16(), known.header("cache-control")),
        (304, "no-cache")
    );
    // Written in another order, it is the same response; with a session, too.
    client
        .get("/api/products?size=7&sort=name")
        .await
        .expect(200);
    client.log_in("ada").await;
    assert!(
        status("/api/products?sort=name&size=7")
            .await
            .contains("hit")
    );

    let mut change = tent();
    change["version"] = json!(1);
    client.put(&place, &change).await.expect(200);
    assert_eq!(client.get(&place).await.header("etag"), "\"2\"");
    assert!(!status(lists[0]).await.contains("hit"), "its shelf");
    assert!(status(lists[1]).await.contains("hit"), "another shelf");
    assert!(!status(lists[2]).await.contains("hit"), "all shelves");

    // What is somebody's is not kept.
    assert_eq!(status("/api/wishlist").await, "");
    assert_eq!(status("/api/me").await, "");
}
