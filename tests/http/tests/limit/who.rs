//! Whose counts are whose.

use std::net::Ipv4Addr;

use cache_http::address::Address;
use cache_http::limit::{RateLimit, RateLimits, Route, User};
use http::StatusCode;
use http::request::Parts;
use tests::caches;
use tests::scenarios::processes::process;
use tests::server::RedisServer;

use crate::{HOUR, Instance, assert_lets_through};

fn host(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, last)
}

fn user(parts: &Parts) -> Option<String> {
    let user = parts.headers.get("x-user")?;
    Some(user.to_str().ok()?.to_owned())
}

#[tokio::test]
async fn addresses_users_and_routes_have_counts_of_their_own() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;

    let addresses = Instance::of(&cache, RateLimit::gcra(2, HOUR)).await;
    for last in [2, 3] {
        assert_lets_through(2, async |_| addresses.get_from(host(last), "/", &[]).await).await;
    }

    let users = Instance::of(&cache, RateLimit::gcra(2, HOUR).by(User(user))).await;
    for name in ["alice", "bob", "alice:b"] {
        assert_lets_through(2, async |at| {
            let from = host(u8::try_from(at).unwrap() + 2);
            users.get_from(from, "/", &[("x-user", name)]).await
        })
        .await;
    }
    for _ in 0..4 {
        let anonymous = users.get().await;
        assert_eq!(
            anonymous.status,
            StatusCode::OK,
            "no user, no limit by user"
        );
        assert_eq!(anonymous.header("ratelimit"), None);
    }

    let routes = Instance::of(&cache, RateLimit::gcra(2, HOUR).by(Route)).await;
    for route in ["a", "b"] {
        assert_lets_through(2, async |at| {
            let from = host(u8::try_from(at).unwrap() + 2);
            routes.get_from(from, &format!("/{route}/{at}"), &[]).await
        })
        .await;
    }

    let both = RateLimit::gcra(1, HOUR).by((Address::peer(), Route));
    let both = Instance::of(&cache, both).await;
    for (last, route) in [(2, "a"), (2, "b"), (3, "a"), (3, "b")] {
        let path = format!("/{route}/1");
        assert_lets_through(1, async |_| both.get_from(host(last), &path, &[]).await).await;
    }
}

#[tokio::test]
async fn methods_that_a_client_makes_up_are_counted_as_one() {
    let routes = RateLimit::gcra(2, HOUR).by(Route);
    let routes = Instance::of(&caches::in_memory(), routes).await;
    let statuses = async |methods: [&str; 3]| {
        let mut statuses = Vec::new();
        for method in methods {
            let method = method.parse().unwrap();
            let answer = routes.service.send(method, host(2), "/a/1", &[]).await;
            statuses.push(answer.status.as_u16());
        }
        statuses
    };
    assert_eq!(statuses(["AAAA", "AAAB", "AAAC"]).await, [405, 405, 429]);
    assert_eq!(statuses(["GET", "HEAD", "GET"]).await, [200, 200, 429]);
    assert_eq!(statuses(["PUT", "DELETE", "PUT"]).await, [405, 405, 405]);
}

#[tokio::test]
async fn a_forged_header_is_worth_nothing() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let forged = |at: usize| format!("198.51.100.{at}");

    let direct = Instance::of(&cache, RateLimit::gcra(3, HOUR)).await;
    assert_lets_through(3, async |at| {
        let forged = forged(at);
        let headers = [("x-forwarded-for", forged.as_str())];
        direct.get_from(host(2), "/", &headers).await
    })
    .await;

    // The proxy is 127.0.0.7; it appends who asked it to what the client has sent.
    let address = Address::x_forwarded_for(["127.0.0.7"]).unwrap();
    let limit = RateLimit::gcra(3, HOUR).by(address).name("behind");
    let behind = Instance::of(&cache, limit).await;
    for client in ["203.0.113.1", "2001:db8:0:1::7"] {
        assert_lets_through(3, async |at| {
            let line = format!("{}, 127.0.0.7, {client}", forged(at));
            let headers = [("x-forwarded-for", line.as_str())];
            behind.get_from(host(7), "/", &headers).await
        })
        .await;
    }
    // A neighbour in its network of IPv6 is the same client; and who is not the proxy cannot speak as it.
    let neighbour = [("x-forwarded-for", "2001:db8:0:1:ffff::")];
    let answer = behind.get_from(host(7), "/", &neighbour).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_lets_through(3, async |at| {
        let forged = forged(at);
        let headers = [("x-forwarded-for", forged.as_str())];
        behind.get_from(host(8), "/", &headers).await
    })
    .await;
}

#[tokio::test]
async fn limits_of_one_name_and_numbers_count_together_and_others_apart() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let named = |name: &str| RateLimits::new(&cache).limit(RateLimit::gcra(2, HOUR).name(name));
    let login = Instance::with(named("login")).await;
    let again = Instance::with(named("login")).await;
    let query = Instance::with(named("query")).await;
    assert_eq!(login.get().await.status, StatusCode::OK);
    assert_lets_through(1, async |_| again.get().await).await;
    assert_lets_through(2, async |_| query.get().await).await;
    let window = RateLimit::sliding_window(2, HOUR).name("login");
    let window = Instance::of(&cache, window).await;
    assert_lets_through(2, async |_| window.get().await).await;
}
