//! Lists, and ends that hold everywhere.

use std::time::SystemTime;

use http::{Method, StatusCode};
use tests::scenarios::processes::{connected, of_url};
use tests::server::RedisServer;
use tests::server::cluster::Cluster;

use crate::{Instance, Visitor};

#[tokio::test]
async fn all_sessions_of_a_user_end_on_all_instances_and_nobody_elses() {
    let server = RedisServer::start().await;
    let (one, other) = (Instance::on(&server).await, Instance::on(&server).await);
    assert_all_end(&one, &other).await;
}

/// Sessions and their users' lists are on different servers.
#[tokio::test]
async fn in_a_cluster_as_well() {
    let cluster = Cluster::start().await;
    let cache = || async {
        let slow = std::time::Duration::from_secs(5);
        connected(of_url(&cluster.url()).redis_budget(slow)).await
    };
    let one = Instance::of(&cache().await).await;
    let other = Instance::of(&cache().await).await;
    assert_all_end(&one, &other).await;
    for user in 0..8 {
        let user = format!("user{user}");
        let mut kept = Visitor::logged_in(&one, &user).await;
        let mut ended = Visitor::logged_in(&other, &user).await;
        assert_eq!(kept.post(&other, "/alone").await.body, "1");
        assert_eq!(kept.name(&one).await, user);
        assert_eq!(ended.name(&one).await, "nobody");
    }
}

async fn assert_all_end(one: &Instance, other: &Instance) {
    let mut here = Visitor::logged_in(one, "alice").await;
    let mut there = Visitor::logged_in(other, "alice").await;
    let mut bob = Visitor::logged_in(one, "bob").await;
    for visitor in [&mut here, &mut there] {
        assert_eq!(visitor.name(one).await, "alice");
        assert_eq!(visitor.name(other).await, "alice");
    }
    assert_eq!(
        one.store
            .sessions_of("alice")
            .await
            .expect("Redis answers")
            .len(),
        2
    );
    assert_eq!(one.store.revoke_all("alice").await, Ok(2));
    assert_eq!(other.store.sessions_of("alice").await, Ok(Vec::new()));
    for visitor in [&mut here, &mut there] {
        let mut copy = visitor.clone();
        assert_eq!(copy.name(other).await, "nobody");
        assert_eq!(visitor.name(one).await, "nobody");
    }
    assert_eq!(bob.name(other).await, "bob");
    let mut again = Visitor::logged_in(other, "alice").await;
    assert_eq!(again.name(one).await, "alice");
}

#[tokio::test]
async fn a_user_sees_the_sessions_and_ends_one() {
    let server = RedisServer::start().await;
    let (one, other) = (Instance::on(&server).await, Instance::on(&server).await);
    let before = SystemTime::now() - std::time::Duration::from_secs(5);
    let mut phone = Visitor::logged_in(&one, "alice").await;
    let mut laptop = Visitor::logged_in(&other, "alice").await;
    let mut mallory = Visitor::logged_in(&other, "mallory").await;
    let listed = phone.send(&one, Method::GET, "/sessions").await;
    let listed: Vec<String> = serde_json::from_str(&listed.body).unwrap();
    assert_eq!(listed.len(), 2);
    let infos = one.store.sessions_of("alice").await.unwrap();
    for info in &infos {
        assert!(info.created >= before && info.last_seen >= info.created);
        let hour = std::time::Duration::from_secs(3600);
        let end = info.created + hour;
        assert!(info.expires > end - hour / 2 && info.expires < end + hour / 2);
    }
    let of = |visitor: &Visitor| {
        let cookie = visitor.cookie.as_ref().unwrap();
        let id = cookie.strip_prefix("id=").unwrap().parse().unwrap();
        cache_http::session::SessionStore::digest(&id)
    };
    assert!(listed.contains(&of(&laptop).to_string()));
    assert_eq!(
        one.store.revoke("mallory", of(&laptop)).await,
        Ok(false),
        "it is not hers"
    );
    assert_eq!(laptop.clone().name(&one).await, "alice");
    assert_eq!(one.store.revoke("alice", of(&laptop)).await, Ok(true));
    assert_eq!(one.store.revoke("alice", of(&laptop)).await, Ok(false));
    assert_eq!(laptop.name(&other).await, "nobody");
    assert_eq!(phone.name(&other).await, "alice");
    assert_eq!(mallory.name(&one).await, "mallory");
    assert_eq!(one.store.sessions_of("alice").await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_changes_a_password_stays_and_all_others_go() {
    let server = RedisServer::start().await;
    let (one, other) = (Instance::on(&server).await, Instance::on(&server).await);
    let mut here = Visitor::logged_in(&one, "alice").await;
    for round in 0..3 {
        let mut there = Visitor::logged_in(&other, "alice").await;
        let mut third = Visitor::logged_in(&one, "alice").await;
        let old = here.clone();
        let answer = here.post(&one, "/alone").await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (StatusCode::OK, "2"),
            "{round}"
        );
        assert_ne!(here.cookie, old.cookie);
        assert_eq!(here.name(&other).await, "alice");
        assert_eq!(old.clone().name(&other).await, "nobody");
        assert_eq!(there.name(&one).await, "nobody");
        assert_eq!(third.name(&one).await, "nobody");
    }
    assert_eq!(one.store.sessions_of("alice").await.unwrap().len(), 1);
    // What was kept is one of the user's like any other.
    assert_eq!(other.store.revoke_all("alice").await, Ok(1));
    assert_eq!(here.name(&one).await, "nobody");
}
