//! An origin that fails for longer than a value lives: `stale_if_error` in several processes.

use std::time::Duration;

use tests::eventually;
use tests::fleet::Fleet;
use tests::scenarios::Function::{self, Lagging, Shielded};
use tests::scenarios::Open;
use tests::scenarios::crew::Crew;
use tests::scenarios::functions::{lagging_key, shielded_key};
use tests::scenarios::hammer::Blows;
use tests::server::RedisServer;

const WORKERS: usize = 4;
const TASKS: usize = 8;
const REST: Duration = Duration::from_millis(5);
/// What the function says: a try, and nobody's for so long.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// The clocks of a server and of this test are whole milliseconds.
const ROUNDED: Duration = Duration::from_millis(10);

/// All have the value, and the origin has begun to fail.
async fn failing(crew: &Crew, function: Function, key: &str) {
    for worker in 0..WORKERS {
        assert_eq!(crew.one(worker, function).await.0, 1);
    }
    crew.origin.fails(key, true);
    crew.origin.commit(key);
}

fn nobody_noticed(blows: &Blows) {
    assert!(blows.calls() > 1_000, "too little happened: {blows}");
    assert_eq!(blows.errors, 0, "{blows}");
    for served in blows.served.keys() {
        // Shared: with a call that found it in Redis, which counts its life by another clock.
        let fresh = ["Memory", "Redis", "Shared"].contains(&&**served);
        assert!(fresh || served.starts_with("Stale("), "{blows}");
    }
}

/// Calls for seven seconds, of which it is past its ttl for six: the origin is tried once per throttle by all of them together.
async fn tried_once_per_throttle(crew: &Crew, function: Function, key: &str) {
    failing(crew, function, key).await;
    let length = Duration::from_secs(7);
    let blows = crew.hammer(function, TASKS, REST, length).await;
    nobody_noticed(&blows);
    let tries = crew.origin.moments(key).split_off(1);
    let pauses = tries.windows(2).map(|two| two[1] - two[0]);
    let shortest = pauses.min().expect("it was tried more than once");
    println!(
        "{function:?} in {WORKERS} processes: {} tries, the shortest pause {shortest:?} of {RETRY_AFTER:?}; {blows}",
        tries.len()
    );
    assert!(shortest + ROUNDED >= RETRY_AFTER, "{shortest:?}");
    // A machine that does much else tries less often.
    assert!((4..=13).contains(&tries.len()), "{}", tries.len());
}

#[tokio::test]
async fn origin_that_fails_is_tried_once_per_throttle_in_the_fleet_and_then_its_error_is_told() {
    let crew = Crew::of(WORKERS).await;
    let key = shielded_key(7);
    tried_once_per_throttle(&crew, Shielded, &key).await;
    for worker in 0..WORKERS {
        eventually::holds("the window ends", async || {
            crew.call(worker, "one", Shielded, 1).await.errors == 1
        })
        .await;
    }
    for worker in 0..WORKERS {
        let before = crew.origin.loads(&key);
        let answer = crew.call(worker, "one", Shielded, 1).await;
        assert_eq!(answer.errors, 1, "the origin's own: {answer:?}");
        assert_eq!(crew.origin.loads(&key), before + 1, "nothing keeps from it");
    }
    crew.origin.fails(&key, false);
    assert_eq!(crew.one(0, Shielded).await, (2, "Loaded".to_owned()));
    for worker in 1..WORKERS {
        assert_eq!(crew.one(worker, Shielded).await, (2, "Redis".to_owned()));
    }
    crew.nothing_is_left(0..WORKERS).await;
}

#[tokio::test]
async fn refreshes_of_a_stale_value_leave_an_origin_that_fails_alone_in_the_fleet() {
    let crew = Crew::of(WORKERS).await;
    let key = lagging_key(7);
    tried_once_per_throttle(&crew, Lagging, &key).await;
    crew.origin.fails(&key, false);
    for worker in 0..WORKERS {
        eventually::holds("it is refreshed", async || {
            crew.one(worker, Lagging).await.0 == 2
        })
        .await;
    }
    crew.nothing_is_left(0..WORKERS).await;
}

#[tokio::test]
async fn without_redis_each_process_has_a_throttle_of_its_own() {
    let server = RedisServer::start().await;
    let mut open = Open::at("cache", server.url());
    // What a call loses to Redis, five times, and how long memory is believed without it.
    open.budget = Duration::from_millis(500);
    open.grace = Duration::from_secs(60);
    let crew = Crew::opened(server, Fleet::builder(), WORKERS, open).await;
    failing(&crew, Shielded, &shielded_key(7)).await;
    let with = Duration::from_secs(3);
    nobody_noticed(&crew.hammer(Shielded, TASKS, REST, with).await);
    let mut before = Vec::new();
    for worker in 0..WORKERS {
        before.push(crew.figure(worker, "loads").await);
    }
    crew.server.stop();
    let without = Duration::from_secs(4);
    let blows = crew.hammer(Shielded, TASKS, REST, without).await;
    let mut tries = Vec::new();
    for (worker, before) in before.into_iter().enumerate() {
        tries.push(crew.figure(worker, "loads").await - before);
    }
    println!("Redis stopped for {without:?}: {tries:?} tries; {blows}");
    nobody_noticed(&blows);
    // One at once, as the throttle of the fleet may have ended.
    let most = without.as_millis() / RETRY_AFTER.as_millis() + 1;
    for tries in tries {
        assert!(tries >= 1 && u128::from(tries) <= most, "{tries} of {most}");
    }
    crew.server.cont();
}
