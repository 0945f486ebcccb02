//! The scripts against the arithmetic in Rust, on a real server and by its clock.

use std::time::Duration;

use cache_runtime::{RedisHandle, RedisReply, RedisScript};
use tests::scenarios::processes::process;
use tests::server::RedisServer;

use super::{GCRA, WINDOW, read};
use crate::limit::gcra::Gcra;
use crate::limit::window::Window;

/// Runs a script; the reply ends with the time it was judged at.
async fn ask(
    redis: &RedisHandle,
    script: &RedisScript,
    key: &str,
    numbers: [u64; 3],
) -> RedisReply {
    let numbers = numbers.map(|number| number.to_string());
    let arguments = numbers.each_ref().map(|text| text.as_bytes());
    redis.script(script, &[key], &arguments).await.unwrap()
}

fn time_of(reply: &RedisReply) -> u64 {
    let RedisReply::List(numbers) = reply else {
        panic!("{reply:?}");
    };
    u64::try_from(numbers[4].as_int().unwrap()).unwrap()
}

#[tokio::test]
async fn the_scripts_do_the_arithmetic_of_the_models() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let redis = cache.redis().unwrap();
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    for round in 0..40 {
        let key = redis.key("limit", &round.to_string());
        let (n, per) = (random.u64(1..20), random.u64(500..40_000));
        let gcra = Gcra::new(n, per, random.u64(1..6));
        let window = Window::new(n, random.u64(1..40));
        let (mut due, mut counted) = (None, None);
        for step in 0..30 {
            let cost = random.u64(1..3);
            if random.bool() {
                tokio::time::sleep(Duration::from_millis(random.u64(0..4))).await;
            }
            let about =
                format!("seed {seed}, round {round}, step {step}, {gcra:?}, {window:?}, {cost}");
            if round % 2 == 0 {
                let cost = cost.min(gcra.burst);
                let reply = ask(&redis, &GCRA, &key, [gcra.interval, gcra.burst, cost]).await;
                let (decision, next) = gcra.decide(due, time_of(&reply), cost);
                assert_eq!(read(&reply), Some(decision), "{about}");
                due = next.or(due);
            } else {
                let cost = cost.min(window.most);
                let reply = ask(&redis, &WINDOW, &key, [window.size, window.most, cost]).await;
                let (decision, next) = window.decide(counted, time_of(&reply), cost);
                assert_eq!(read(&reply), Some(decision), "{about}");
                counted = next.or(counted);
            }
        }
    }
}
