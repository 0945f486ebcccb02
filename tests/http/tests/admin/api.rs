//! Who is let in, what is asked and what is told.

use std::collections::HashMap;

use axum::{Router, response::IntoResponse};
use cache_http::admin::{self, Guard};
use cache_runtime::Cache;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{eventually, server::RedisServer};

use crate::{
    client::Ask,
    shop::{Shop, TOKEN, quote},
};

const ROUTES: [(Method, &str); 9] = [
    (Method::GET, ""),
    (Method::GET, "/"),
    (Method::GET, "/main.js"),
    (Method::GET, "/page.css"),
    (Method::GET, "/api/overview"),
    (Method::GET, "/api/history"),
    (Method::GET, "/api/inspect?key=product:1"),
    (Method::POST, "/api/evict"),
    (Method::GET, "/metrics"),
];

#[tokio::test]
async fn nothing_is_answered_without_the_token() {
    let shop = Shop::in_memory().await;
    for (method, path) in ROUTES {
        let ask = || Ask::new(method.clone(), path);
        let wrong = [
            "Bearer a-token-for-these-testS",
            "Bearer ",
            "Basic b3BzOndyb25n",
            TOKEN,
        ];
        for ask in wrong
            .map(|it| ask().header("authorization", it))
            .into_iter()
            .chain([ask()])
        {
            let answer = ask.send(shop.address).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
            assert!(
                answer.headers["www-authenticate"]
                    .to_str()
                    .unwrap()
                    .starts_with("Basic ")
            );
            assert!(!answer.text.contains("shop"), "{}", answer.text);
        }
        let answer = ask().allowed().send(shop.address).await;
        assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_ne!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    // As a browser shows it: `ops` and the token.
    let basic = "Basic b3BzOmEtdG9rZW4tZm9yLXRoZXNlLXRlc3Rz";
    let answer = Ask::get("")
        .header("authorization", basic)
        .send(shop.address)
        .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_service_decides_by_the_request_and_answers_as_it_likes() {
    let cache = || Cache::builder("shop").build().unwrap();
    let staff = Guard::allow_if(|request| async move { request.headers.contains_key("x-staff") });
    let shop = Shop::of(cache(), staff).await;
    let outsider = Ask::get("/metrics").allowed().send(shop.address).await;
    assert_eq!(outsider.status, StatusCode::FORBIDDEN);
    let insider = Ask::get("/metrics")
        .header("x-staff", "1")
        .send(shop.address)
        .await;
    assert_eq!(insider.status, StatusCode::OK);

    let to_login = Guard::check(|_| async {
        Err((StatusCode::SEE_OTHER, [("location", "/login")]).into_response())
    });
    let shop = Shop::of(cache(), to_login).await;
    let answer = Ask::get("/api/overview").send(shop.address).await;
    assert_eq!(
        (answer.status, &answer.headers["location"]),
        (StatusCode::SEE_OTHER, &"/login".parse().unwrap())
    );

    let shop = Shop::of(cache(), Guard::open()).await;
    assert_eq!(Ask::get("").send(shop.address).await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_answer_tells_browsers_to_keep_it_to_itself() {
    let shop = Shop::in_memory().await;
    for (method, path) in ROUTES {
        for ask in [
            Ask::new(method.clone(), path),
            Ask::new(method.clone(), path).allowed(),
        ] {
            let headers = ask.send(shop.address).await.headers;
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(
                policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
                "{policy}"
            );
            assert_eq!(headers["x-frame-options"], "DENY");
            assert_eq!(headers["cache-control"], "no-store");
            assert_eq!(headers["x-content-type-options"], "nosniff");
        }
    }
}

#[tokio::test]
async fn links_lead_home_from_wherever_the_router_is() {
    let shop = Shop::in_memory().await;
    for (path, base) in [("", "./cache/"), ("/", "./"), ("?a=/b", "./cache/")] {
        let page = Ask::get(path).allowed().send(shop.address).await.text;
        assert!(page.contains(&format!("<base href=\"{base}\">")), "{path}");
    }
}

#[tokio::test]
async fn a_merged_router_leaves_what_it_does_not_know_to_the_service() {
    use tower::ServiceExt;
    let cache = Cache::builder("shop").build().unwrap();
    let app = Router::new()
        .merge(admin::router(&cache, Guard::token(TOKEN)))
        .fallback(|| async { "the service's own" });
    let ask = |path: &str| {
        let request = http::Request::get(path)
            .body(axum::body::Body::empty())
            .unwrap();
        app.clone().oneshot(request)
    };
    assert_eq!(ask("/elsewhere").await.unwrap().status(), StatusCode::OK);
    assert_eq!(
        ask("/metrics").await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn the_overview_counts_what_was_called() {
    let shop = Shop::in_memory().await;
    for id in [1, 2, 1, 1] {
        shop.product(id).await;
    }
    let overview = Ask::get("/api/overview")
        .allowed()
        .send(shop.address)
        .await
        .json();
    let cache = &overview["caches"][0];
    assert_eq!(
        (&cache["id"], &cache["health"]["words"]),
        (&json!("shop"), &json!("memory only"))
    );
    assert_eq!(cache["total"]["memory_hits"], 2);
    let sites = cache["sites"].as_array().unwrap();
    let site = sites
        .iter()
        .find(|it| it["name"].as_str().unwrap().ends_with("::product"))
        .unwrap();
    assert_eq!(
        (&site["misses"], &site["loads"], &site["memory_hits"]),
        (&json!(2), &json!(2), &json!(2))
    );

    let history = Ask::get("/api/history")
        .allowed()
        .send(shop.address)
        .await
        .json();
    assert_eq!(
        history[0]["caches"][0][1]["memory_hits"], 2,
        "what was told is remembered"
    );
}

#[tokio::test]
async fn an_inspection_tells_all_but_the_value() {
    let redis = RedisServer::start().await;
    let shop = Shop::on(&redis).await;
    let value = shop.product(7).await;
    shop.basket("a:b c", "u:1").await;
    let inspect = async |query: &str| {
        let answer = Ask::get(&format!("/api/inspect?{query}"))
            .allowed()
            .send(shop.address)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert!(!answer.text.contains(&value));
        answer.json()
    };
    let found = inspect("key=product:7").await;
    // With Redis behind it memory keeps nothing for longer than a minute.
    for (tier, most) in [("memory", 60_000), ("redis", 600_000)] {
        assert_eq!(
            found[tier]["tags"],
            json!([{ "text": "all products", "digest": false }]),
            "{found}"
        );
        let left = found[tier]["remaining_ms"].as_u64().unwrap();
        assert!((most / 2..=most).contains(&left), "{found}");
    }
    assert_eq!(
        (&found["memory"]["codec"], &found["redis"]["codec"]),
        (&json!("typed"), &json!("json"))
    );

    // As it is typed, and as it is shown: the same entry.
    let shown = "basket:a%3Ab%20c:,user%3Au%253A1";
    let encoded = shown.replace('%', "%25");
    let found = inspect(&format!("key={encoded}")).await;
    assert_eq!(
        (&found["key"], &found["found"]),
        (&json!(shown), &json!(true))
    );
    assert_eq!(found["scope"], "user:u%3A1");
    let scope = found["scope"].as_str().unwrap().replace('%', "%25");
    let again = inspect(&format!("key=basket:a%253Ab%2520c&scope={scope}")).await;
    assert_eq!(again["key"], found["key"]);

    let nothing = inspect("key=product:8").await;
    assert_eq!(nothing, json!({ "key": "product:8", "found": false }));
    let answer = Ask::get("/api/inspect").allowed().send(shop.address).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn of_several_caches_the_one_that_is_named_is_meant() {
    let [a, b, other] = ["shop", "shop", "users"].map(|name| Cache::builder(name).build().unwrap());
    let shop = Shop::with(b, [a, other], Guard::token(TOKEN)).await;
    let ask = async |query: &str| {
        Ask::get(&format!("/api/inspect?key=a{query}"))
            .allowed()
            .send(shop.address)
            .await
            .status
    };
    assert_eq!(ask("").await, StatusCode::NOT_FOUND);
    assert_eq!(ask("&cache=goods").await, StatusCode::NOT_FOUND);
    assert_eq!(ask("&cache=users").await, StatusCode::OK);

    let same = Shop::with(
        shop.cache.clone(),
        [shop.cache.clone(), shop.cache.clone()],
        Guard::token(TOKEN),
    )
    .await;
    let overview = Ask::get("/api/overview")
        .allowed()
        .send(same.address)
        .await
        .json();
    let ids: Vec<_> = overview["caches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["id"])
        .collect();
    assert_eq!(ids, ["shop", "shop#2"]);
}

#[tokio::test]
async fn what_is_set_up_wrongly_is_told_with_what_to_do() {
    let shop = Shop::in_memory().await;
    for id in 0..5 {
        shop.cache.as_current(quote(id)).await;
    }
    let overview = Ask::get("/api/overview")
        .allowed()
        .send(shop.address)
        .await
        .json();
    let findings = overview["caches"][0]["findings"].as_array().unwrap();
    let of_quote = |it: &&Value| {
        it["site"]
            .as_str()
            .is_some_and(|it| it.ends_with("::quote"))
    };
    let finding = findings.iter().find(of_quote);
    let finding = finding.unwrap_or_else(|| panic!("nothing about it: {findings:?}"));
    assert_eq!(finding["code"], "ttl-shorter-than-load");
    assert!(
        finding["advice"].as_str().is_some_and(|it| !it.is_empty()),
        "{finding}"
    );
}

#[tokio::test]
async fn a_lost_redis_is_told_in_words_and_as_an_event() {
    let redis = RedisServer::start().await;
    let shop = Shop::on(&redis).await;
    let overview = async || {
        Ask::get("/api/overview")
            .allowed()
            .send(shop.address)
            .await
            .json()
    };
    eventually::holds("the messages are heard", async || {
        overview().await["caches"][0]["health"]["ok"] == true
    })
    .await;
    redis.kill();
    let down = eventually::some("the loss is noticed", async || {
        let told = overview().await;
        (told["caches"][0]["health"]["redis"]["words"] == "Down").then_some(told)
    })
    .await;
    let redis_health = &down["caches"][0]["health"]["redis"];
    assert_eq!(redis_health["level"], "bad");
    assert!(
        redis_health["since_ms"].as_u64().is_some(),
        "{redis_health}"
    );
    let events = down["events"].as_array().unwrap();
    let health = |event: &&Value| event["kind"] == "health";
    assert!(
        events
            .iter()
            .filter(health)
            .any(|it| it["says"].to_string().contains("down")),
        "{events:?}"
    );
}

#[tokio::test]
async fn what_prometheus_reads_is_well_formed_and_counts() {
    let redis = RedisServer::start().await;
    let shop = Shop::on(&redis).await;
    for id in [1, 2, 1, 1] {
        shop.product(id).await;
    }
    let users = Cache::builder("users").build().unwrap();
    let both = Shop::with(
        shop.cache.clone(),
        [shop.cache.clone(), users],
        Guard::token(TOKEN),
    )
    .await;
    let answer = Ask::get("/metrics").allowed().send(both.address).await;
    assert_eq!(
        answer.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );

    let mut families = HashMap::new();
    let mut samples = HashMap::new();
    for line in answer.text.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            let (name, kind) = family.split_once(' ').unwrap();
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(
                families.insert(name, kind),
                None,
                "a family is told once: {line}"
            );
        } else if !line.starts_with('#') {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let value: f64 = value.parse().unwrap_or_else(|why| panic!("{why}: {line}"));
            let name = series.split('{').next().unwrap();
            let of = ["", "_bucket", "_sum", "_count"].iter().any(|end| {
                name.strip_suffix(end)
                    .is_some_and(|family| families.contains_key(family))
            });
            assert!(of, "a sample of no family: {line}");
            assert_eq!(
                samples.insert(series, value),
                None,
                "a series is told once: {line}"
            );
        }
    }
    let of_product = |name: &str| {
        let mut all = samples.iter().filter(|(series, _)| {
            series.starts_with(&format!("{name}{{"))
                && series.contains("cache=\"shop\"")
                && series.contains("::product\"")
        });
        let sum = all.by_ref().map(|(_, value)| *value).sum::<f64>();
        sum as u64
    };
    assert_eq!(of_product("cache_loads_total"), 2);
    assert!(
        samples.keys().any(|it| it.contains("cache=\"users\"")),
        "of every cache of the page"
    );
}
