//! How many come through, and when.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cache_http::limit::{RateLimit, RateLimits};
use http::StatusCode;
use serde_json::{Value, json};
use tests::eventually;
use tests::proxy::{Mode, Proxy};
use tests::scenarios::processes::{connected, of_url, process};
use tests::server::RedisServer;
use tokio::task::JoinSet;

use crate::{HOUR, Instance, assert_lets_through, two};

#[tokio::test]
async fn two_instances_let_exactly_the_limit_through_and_the_next_is_refused() {
    let server = RedisServer::start().await;
    let instances = two(&server, RateLimit::gcra(20, HOUR)).await.map(Arc::new);
    let mut crowd = JoinSet::new();
    for at in 0..50 {
        let instance = Arc::clone(&instances[at % 2]);
        crowd.spawn(async move { instance.get().await.status });
    }
    let statuses = crowd.join_all().await;
    let of = |status| statuses.iter().filter(|&&it| it == status).count();
    assert_eq!(of(StatusCode::OK), 20);
    assert_eq!(of(StatusCode::TOO_MANY_REQUESTS), 30);
    let reached: usize = instances.iter().map(|it| it.reached()).sum();
    assert_eq!(reached, 20, "what is refused reaches nobody");
    for instance in instances {
        assert_eq!(instance.get().await.status, StatusCode::TOO_MANY_REQUESTS);
    }
}

#[tokio::test]
async fn one_more_comes_through_after_each_interval_by_the_clock_of_the_server() {
    let server = RedisServer::start().await;
    // Long enough for three requests on a busy machine.
    let interval = Duration::from_secs(1);
    let [one, other] = two(&server, RateLimit::gcra(2, interval * 2)).await;
    let started = Instant::now();
    assert_lets_through(2, async |at| {
        let instance = if at == 0 { &one } else { &other };
        instance.get().await
    })
    .await;
    eventually::holds("one more comes through", async || {
        other.get().await.status == StatusCode::OK
    })
    .await;
    assert!(started.elapsed() >= interval, "{:?}", started.elapsed());
}

#[tokio::test]
async fn what_is_said_of_a_limit_is_so() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let limit = RateLimit::gcra(60, HOUR).burst(2).name("few");
    let instance = Instance::of(&cache, limit).await;
    let first = instance.get().await;
    assert_eq!(
        first.header("ratelimit-policy"),
        Some("\"few\";q=60;w=3600;burst=2")
    );
    assert_eq!(first.header("ratelimit"), Some("\"few\";r=1;t=60"));
    assert_eq!(first.header("ratelimit-limit"), Some("2"));
    assert_eq!(first.header("ratelimit-remaining"), Some("1"));
    assert_eq!(first.header("ratelimit-reset"), Some("60"));
    assert_eq!(first.body, "here");
    instance.get().await;
    let refused = instance.get().await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("ratelimit-remaining"), Some("0"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((30..=60).contains(&wait), "an interval is a minute: {wait}");
    assert_eq!(
        refused.header("content-type"),
        Some("application/problem+json")
    );
    let problem: Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!(problem["status"], 429);
    assert_eq!(problem["violated-policies"], json!(["few"]));
}

#[tokio::test]
async fn all_limits_of_a_layer_have_to_agree_and_the_tightest_is_shown() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let limits = RateLimits::new(&cache)
        .limit(RateLimit::gcra(100, HOUR).name("many"))
        .limit(RateLimit::sliding_window(3, HOUR).name("few").cost(|_| 2))
        .limit(RateLimit::gcra(1, HOUR).name("none").cost(|_| 0));
    let instance = Instance::with(limits).await;
    let first = instance.get().await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(
        first.header("ratelimit-policy"),
        Some("\"many\";q=100;w=3600, \"few\";q=3;w=3600")
    );
    assert!(
        first
            .header("ratelimit")
            .unwrap()
            .starts_with("\"few\";r=1;t=")
    );
    let second = instance.get().await;
    assert_eq!(second.status, StatusCode::TOO_MANY_REQUESTS);
    let problem: Value = serde_json::from_str(&second.body).unwrap();
    assert_eq!(problem["violated-policies"], json!(["few"]));
}

/// When a request was sent and answered; it was counted in between.
struct Sent {
    from: Instant,
    to: Instant,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sliding_window_keeps_its_bound_over_two_instances() {
    const N: usize = 20;
    const SIZE: Duration = Duration::from_millis(400);
    let server = RedisServer::start().await;
    let limit = RateLimit::sliding_window(20, SIZE);
    let instances = two(&server, limit).await.map(Arc::new);
    let started = Instant::now();
    let mut drivers = JoinSet::new();
    for driver in 0..4 {
        let instance = Arc::clone(&instances[driver % 2]);
        drivers.spawn(async move {
            let mut allowed = Vec::new();
            while started.elapsed() < SIZE * 5 {
                let from = Instant::now();
                if instance.get().await.status == StatusCode::OK {
                    let to = Instant::now();
                    allowed.push(Sent { from, to });
                }
            }
            allowed
        });
    }
    let allowed: Vec<Sent> = drivers.join_all().await.into_iter().flatten().collect();
    let took = started.elapsed();
    assert!(allowed.len() > N, "quota comes back: {}", allowed.len());
    // No window of the server's has more than N of its own, and so many of them were begun.
    let windows = took.as_millis().div_ceil(SIZE.as_millis()) + 1;
    assert!(
        allowed.len() as u128 <= N as u128 * windows,
        "{} in {took:?}",
        allowed.len()
    );
    for first in &allowed {
        let within = |it: &&Sent| it.from >= first.from && it.to < first.from + SIZE;
        let count = allowed.iter().filter(within).count();
        assert!(count < 2 * N, "{count} within {SIZE:?}");
    }
}

#[tokio::test]
async fn a_count_is_one_small_key_that_ends_and_tells_nobody_who_it_is() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let by_name = |name: &str| {
        let name = name.to_owned();
        move |_: &http::request::Parts| Some(name.clone())
    };
    let limits = RateLimits::new(&cache)
        .limit(RateLimit::gcra(5, HOUR).by(by_name("alice@example.org")))
        .limit(RateLimit::sliding_window(5, HOUR).by(by_name("alice@example.org")));
    let instance = Instance::with(limits).await;
    for _ in 0..20 {
        instance.get().await;
    }
    let keys = server.cli(&["KEYS", "*limit*"]).await.list();
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        assert!(!key.contains("alice") && !key.contains("example"), "{key}");
        let left = server.cli(&["PTTL", &key]).await.int();
        assert!((1..=2 * 3_600_000).contains(&left), "{key}: {left}");
        let value = server.cli(&["GET", &key]).await.text();
        assert!(value.len() < 64, "{value}");
    }
}

#[tokio::test]
async fn several_limits_are_one_round_trip() {
    const ROUND_TRIP: Duration = Duration::from_secs(1);
    let server = RedisServer::start().await;
    let proxy = Proxy::start(server.addr()).await;
    let slow = of_url(&server.url_via(&proxy)).redis_budget(HOUR);
    let cache = connected(slow).await;
    let named = |name: &str| RateLimit::gcra(9, HOUR).name(name);
    let limits = RateLimits::new(&cache)
        .limit(named("one"))
        .limit(named("two"))
        .limit(RateLimit::sliding_window(9, HOUR));
    let instance = Instance::with(limits).await;
    // The server has the scripts after this.
    instance.get().await;
    proxy.set(Mode::Delay(ROUND_TRIP)).await;
    let started = Instant::now();
    let answer = instance.get().await;
    let took = started.elapsed();
    assert_eq!(answer.header("ratelimit-remaining"), Some("7"));
    assert!(took >= ROUND_TRIP && took < ROUND_TRIP * 2, "{took:?}");
}
