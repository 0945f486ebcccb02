//! Many requests for one response at once.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;

use super::service::{Answer, Ask, Service, get};

/// All at once, each on a connection of its own.
async fn crowd(service: &Arc<Service>, requests: impl IntoIterator<Item = Ask>) -> Vec<Answer> {
    let mut crowd = JoinSet::new();
    for request in requests {
        let service = Arc::clone(service);
        crowd.spawn(async move { service.send_alone(request).await });
    }
    crowd.join_all().await
}

#[tokio::test]
async fn a_hundred_cold_requests_are_one_call_of_the_handler() {
    let service = Arc::new(Service::with(|it| it).await);
    let request = get("/a").control("max-age=60").field("x-take", "200");
    let answers = crowd(&service, vec![request; 100]).await;
    assert_eq!(service.origin.calls(), 1);
    assert!(answers.iter().all(|answer| answer.body == "call 1"));
    let told = |what: &str| {
        answers
            .iter()
            .filter(|answer| answer.told().contains(what))
            .count()
    };
    assert_eq!(told("stored"), 1, "{:?}", answers[0]);
    assert_eq!(told("collapsed") + told("hit"), 99);
    assert!(told("collapsed") > 0);
}

/// The first one finds out that it is not for the others; they do not wait for each other then.
#[tokio::test]
async fn what_cannot_be_shared_is_not_waited_for_in_turns() {
    let service = Arc::new(Service::with(|it| it).await);
    let request = get("/a").control("private").field("x-take", "200");
    let answers = crowd(&service, vec![request.clone(); 40]).await;
    assert_eq!(service.origin.calls(), 40);
    let mut bodies: Vec<_> = answers.into_iter().map(|answer| answer.body).collect();
    bodies.sort_unstable();
    bodies.dedup();
    assert_eq!(bodies.len(), 40, "each has a response of its own");
    assert!(
        service.origin.most_at_once() > 4,
        "{}",
        service.origin.most_at_once()
    );
    // What is known of the key now keeps nobody waiting at all.
    let answers = crowd(&service, vec![request; 10]).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.told().contains("uncacheable"))
    );
}

/// A failing handler is asked by each, as it would be without a cache.
#[tokio::test]
async fn failures_are_nobodys_but_who_asked() {
    let service = Arc::new(Service::with(|it| it).await);
    let request = get("/a")
        .control("max-age=60")
        .field("x-status", "500")
        .field("x-take", "100");
    let answers = crowd(&service, vec![request; 20]).await;
    assert!(answers.iter().all(|answer| answer.status == 500));
    assert_eq!(service.origin.calls(), 20);
    assert!(
        !service.send(get("/a").control("max-age=60")).await.is_hit(),
        "it is not remembered"
    );
    assert!(service.send(get("/a")).await.is_hit());
}

/// Who leads may leave: one of those who wait calls the handler then.
#[tokio::test]
async fn a_leader_who_leaves_is_replaced() {
    let service = Arc::new(Service::with(|it| it).await);
    let request = get("/a").control("max-age=60").field("x-take", "300");
    let leader = {
        let (service, request) = (Arc::clone(&service), request.clone());
        tokio::spawn(async move { service.send_alone(request).await })
    };
    tests::eventually::holds("the handler runs", async || service.origin.calls() == 1).await;
    let follower = {
        let service = Arc::clone(&service);
        tokio::spawn(async move { service.send_alone(request).await })
    };
    tokio::time::sleep(Duration::from_millis(50)).await;
    leader.abort();
    let answer = follower.await.unwrap();
    assert_eq!((answer.status.as_u16(), service.origin.calls()), (200, 2));
}

/// A key that could not be shared once can be later.
#[tokio::test]
async fn what_can_be_shared_again_is() {
    let service = Service::with(|it| it).await;
    service.send(get("/a").control("private, max-age=60")).await;
    let public = get("/a").control("max-age=60");
    assert!(
        service
            .send(public.clone())
            .await
            .told()
            .contains("uncacheable")
    );
    assert!(service.send(public.clone()).await.told().contains("stored"));
    assert!(service.send(public).await.is_hit());
}
