//! Sessions and limits, over two instances.

use std::time::{Duration, Instant};

use serde_json::json;
use tests::eventually;
use tests::server::RedisServer;

use crate::fleet::{Database, Fleet};
use crate::kit::{Client, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn session_is_of_all_instances_and_survives_their_restart() {
    let redis = RedisServer::start().await;
    let database = Database::sqlite();
    let settings = Settings::new()
        .with("REDIS_URL", &redis.url())
        .with("DATABASE_URL", &database.url());
    let first = settings.start();
    first.connected().await;
    let ada = first.client();
    ada.get("/api/me").await.expect(401);
    ada.log_in("ada").await;
    assert_eq!(ada.get("/api/me").await.expect(200)["name"], "ada");
    drop(first);
    let second = settings.start();
    second.connected().await;
    let ada = ada.at(&second.client());
    assert_eq!(ada.get("/api/me").await.expect(200)["name"], "ada");
    ada.post("/api/logout", &json!({})).await.expect(204);
    ada.get("/api/me").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_a_fleet() {
    let fleet = Fleet::start(Database::sqlite()).await;
    wrong_password_is_no_session(&fleet).await;
    answers_to_a_session_are_kept_by_no_cache(&fleet).await;
    login_gives_the_session_another_id(&fleet).await;
    user_sees_and_ends_all_sessions(&fleet).await;
}

async fn wrong_password_is_no_session(fleet: &Fleet) {
    let [client, _] = fleet.clients();
    for (name, password) in [("ada", "grace-demo"), ("nobody", "ada-demo")] {
        let refused = client
            .post("/api/login", &json!({ "name": name, "password": password }))
            .await;
        assert_eq!((refused.status.as_u16(), client.cookie()), (401, None));
    }
    client
        .post("/api/login", &json!({ "name": "", "password": "x" }))
        .await
        .expect(422);
}

/// Nothing in front of the service may keep what it answers to somebody, nor to nobody: he may log in.
async fn answers_to_a_session_are_kept_by_no_cache(fleet: &Fleet) {
    let [ada, _] = fleet.clients();
    for path in ["/api/me", "/api/wishlist", "/api/sessions"] {
        let answer = ada.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("cache-control")),
            (401, "no-store")
        );
    }
    ada.log_in("ada").await;
    for path in ["/api/me", "/api/wishlist", "/api/sessions"] {
        let answer = ada.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("cache-control")),
            (200, "no-store")
        );
    }
}

async fn login_gives_the_session_another_id(fleet: &Fleet) {
    let [ada, other] = fleet.clients();
    ada.log_in("ada").await;
    let before = ada.cookie().expect("she is logged in");
    // The same browser again, as grace: whoever had the old cookie does not get her session.
    ada.log_in("grace").await;
    let after = ada.cookie().expect("she is logged in");
    assert_ne!(before, after);
    let thief = other.another();
    thief.set_cookie(Some(before));
    thief.get("/api/me").await.expect(401);
    thief.set_cookie(Some(after));
    assert_eq!(thief.get("/api/me").await.expect(200)["name"], "grace");
    // Nor does an id that somebody has made up become one.
    let planted = "session=AAAAAAAAAAAAAAAAAAAAAA".to_owned();
    let visitor = ada.another();
    visitor.set_cookie(Some(planted.clone()));
    visitor.log_in("linus").await;
    assert_ne!(visitor.cookie(), Some(planted));
}

async fn user_sees_and_ends_all_sessions(fleet: &Fleet) {
    let [here, there] = fleet.clients();
    let (here, there, linus) = (here.another(), there.another(), there.another());
    here.log_in("ada").await;
    there.log_in("ada").await;
    linus.log_in("linus").await;
    let listed = here.get("/api/sessions").await.expect(200);
    assert_eq!(listed["complete"], true);
    let sessions = listed["sessions"].as_array().expect("a list");
    assert!(sessions.len() >= 2, "{listed}");
    assert_eq!(
        sessions
            .iter()
            .filter(|session| session["current"] == true)
            .count(),
        1,
        "{listed}"
    );
    let cookie = here.cookie().expect("she is logged in");
    assert!(
        !listed
            .to_string()
            .contains(cookie.trim_start_matches("session=")),
        "an id is a secret"
    );

    let stolen = there.another();
    stolen.set_cookie(Some(cookie));
    assert_eq!(
        here.delete("/api/sessions").await.expect(200),
        json!({ "everywhere": true })
    );
    assert_eq!(here.cookie(), None);
    here.get("/api/me").await.expect(401);
    there.get("/api/me").await.expect(401);
    stolen.get("/api/me").await.expect(401);
    linus.get("/api/me").await.expect(200);
    there.log_in("ada").await;
    there.get("/api/me").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn session_ends_on_time() {
    let settings = Settings::new().with("SESSION_SECONDS", "3");
    let fleet = Fleet::with(Database::sqlite(), &settings).await;
    let [ada, other] = fleet.clients();
    let started = Instant::now();
    ada.log_in("ada").await;
    let other = ada.at(&other);
    other.get("/api/me").await.expect(200);
    eventually::holds("the session ends", async || {
        other.get("/api/me").await.status == 401
    })
    .await;
    assert!(
        started.elapsed() >= Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    ada.get("/api/me").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_count_what_all_instances_are_asked() {
    let settings = Settings::new()
        .with("REQUESTS_PER_MINUTE", "60")
        .with("TRUSTED_PROXIES", "127.0.0.1");
    let fleet = Fleet::with(Database::sqlite(), &settings).await;
    requests_of_an_address(&fleet).await;
    logins_of_an_address(&fleet).await;
    logins_under_a_name(&fleet).await;
    requests_that_no_route_matches(&fleet).await;
}

fn from(fleet: &Fleet, address: &str) -> [Client; 2] {
    fleet
        .clients()
        .map(|client| client.with("x-forwarded-for", address))
}

async fn requests_of_an_address(fleet: &Fleet) {
    let clients = from(fleet, "192.0.2.1");
    let started = Instant::now();
    let mut allowed = 0_u64;
    let refused = loop {
        let answer = clients[allowed as usize % 2]
            .get("/api/products?size=1")
            .await;
        match answer.status.as_u16() {
            200 => allowed += 1,
            _ => break answer,
        }
        assert!(
            answer.header("ratelimit").contains("r="),
            "{:?}",
            answer.headers
        );
    };
    // A bucket of sixty, which gets one back each second.
    let back = started.elapsed().as_secs() + 1;
    assert!(
        (60..=60 + back).contains(&allowed),
        "{allowed} in {:?}",
        started.elapsed()
    );
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(refused.header("retry-after"), "1");
    refused.expect(429);
    let [other, _] = from(fleet, "192.0.2.2");
    other.get("/api/products?size=1").await.expect(200);
    other.get("/healthz").await.expect(204);
}

async fn logins_of_an_address(fleet: &Fleet) {
    let clients = from(fleet, "192.0.2.3");
    let guess = json!({ "name": "ada", "password": "a guess" });
    let started = Instant::now();
    let mut allowed = 0_u64;
    let refused = loop {
        let answer = clients[allowed as usize % 2]
            .post("/api/login", &guess)
            .await;
        match answer.status.as_u16() {
            401 => allowed += 1,
            _ => break answer,
        }
    };
    // Five at once, and one more each six seconds: checking a password takes its time.
    let back = started.elapsed().as_secs() / 6 + 1;
    assert!(
        (5..=5 + back).contains(&allowed),
        "{allowed} in {:?}",
        started.elapsed()
    );
    assert!(
        refused
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|wait| (1..=6).contains(&wait))
    );
    refused.expect(429);
    from(fleet, "192.0.2.4")[0]
        .post("/api/login", &guess)
        .await
        .expect(401);
}

/// Each attempt from another address.
async fn logins_under_a_name(fleet: &Fleet) {
    let attempt = async |name: &str, number: u64| {
        let clients = from(fleet, &format!("203.0.113.{}", number % 250));
        let guess = json!({ "name": name, "password": "a guess" });
        clients[number as usize % 2]
            .post("/api/login", &guess)
            .await
    };
    let started = Instant::now();
    let mut allowed = 0_u64;
    let refused = loop {
        assert!(allowed < 100, "nobody counts by name");
        let answer = attempt("linus", allowed).await;
        match answer.status.as_u16() {
            401 => allowed += 1,
            _ => break answer,
        }
    };
    // Ten at once, and one more each three seconds.
    let back = started.elapsed().as_secs() / 3 + 1;
    assert!(
        (10..=10 + back).contains(&allowed),
        "{allowed} in {:?}",
        started.elapsed()
    );
    assert_eq!(refused.header("content-type"), "application/problem+json");
    refused.expect(429);
    attempt("grace", 251).await.expect(401);
    let keys = fleet.redis.cli(&["KEYS", "*"]).await.list().join("\n");
    assert!(
        keys.contains("limit") && !keys.contains("linus"),
        "names are digested: {keys}"
    );
}

async fn requests_that_no_route_matches(fleet: &Fleet) {
    for (address, path, status) in [
        ("192.0.2.5", "/api/nothing", 404),
        ("192.0.2.6", "/nowhere", 404),
        ("192.0.2.7", "/docs/openapi.json", 200),
    ] {
        let [client, _] = from(fleet, address);
        let started = Instant::now();
        let mut allowed = 0_u64;
        let refused = loop {
            assert!(allowed < 1_000, "{path} is not limited");
            let answer = client.get(path).await;
            match answer.status.as_u16() {
                answered if answered == status => allowed += 1,
                _ => break answer,
            }
        };
        let back = started.elapsed().as_secs() + 1;
        assert!((60..=60 + back).contains(&allowed), "{path}: {allowed}");
        refused.expect(429);
        for (path, status) in [
            ("/healthz", 204),
            ("/readyz", 200),
            ("/metrics", 200),
            ("/admin/cache/", 401),
        ] {
            assert_eq!(client.get(path).await.status, status, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_of_a_user_is_the_same_from_every_address() {
    let settings = Settings::new()
        .with("REQUESTS_PER_MINUTE", "10000")
        .with("TRUSTED_PROXIES", "127.0.0.1");
    let fleet = Fleet::with(Database::sqlite(), &settings).await;
    let [one, other] = fleet.clients();
    one.log_in("ada").await;
    let mut allowed = 0;
    let refused = loop {
        let client = if allowed % 2 == 0 {
            one.clone()
        } else {
            one.at(&other)
        };
        let answer = client
            .with("x-forwarded-for", &format!("198.51.100.{}", allowed % 200))
            .get("/api/me")
            .await;
        match answer.status.as_u16() {
            200 => allowed += 1,
            _ => break answer,
        }
    };
    assert_eq!(refused.status, 429);
    // A sliding window: exact in its first minute, at most twice that if another one began meanwhile.
    assert!((120..240).contains(&allowed), "{allowed}");
    let grace = one.another();
    grace.log_in("grace").await;
    grace.get("/api/me").await.expect(200);
}
