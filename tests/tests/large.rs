//! A million entries: what costs the same as one, and what streams. A program of its own, because it looks at its own memory.

use std::fs;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Evict, Policy, key};
use tests::logs::Logs;
use tests::scenarios::processes::{commands, process};
use tests::server::RedisServer;

const MANY: u64 = 1_000_000;
/// Written by one script, which holds the server up.
const STEP: usize = 20_000;

/// A server with a million entries below one region, beside one that carries a tag.
async fn filled() -> (RedisServer, Cache) {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    let script = "local value = redis.call('GET', KEYS[1])
        for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do redis.call('SET', 'shop:{list:of:' .. i .. '}', value, 'PX', 3600000) end";
    let (policy, id) = (Policy::new().tags(["listed"]), 0);
    cache
        .put(&key!("list:of:{id}"), 7_u64, &policy)
        .await
        .expect("the server is up");
    for first in (1..MANY).step_by(STEP) {
        let (first, last) = (first.to_string(), (first + STEP as u64 - 1).to_string());
        let command = ["EVAL", script, "1", "shop:{list:of:0}", &first, &last];
        server.cli(&command).await;
    }
    assert!(server.cli(&["DBSIZE"]).await.int() > 1_000_000);
    (server, cache)
}

/// Bytes of memory this process has.
fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

#[tokio::test]
async fn a_million_entries_are_evicted_by_label_in_one_round_trip_and_by_pattern_in_a_stream() {
    let logs = Logs::capture();
    let (server, cache) = filled().await;
    for (what, evict, steps) in [
        ("tag", Evict::tag("listed"), &["EVALSHA"][..]),
        (
            "region pattern",
            Evict::pattern("list:of:*"),
            &["EVALSHA", "EVALSHA", "HGETALL"],
        ),
    ] {
        let mut monitor = server.monitor().await;
        let began = Instant::now();
        cache.evict(evict).await.unwrap();
        println!("{what}: {:?}", began.elapsed());
        let mut names: Vec<_> = commands(&mut monitor)
            .await
            .iter()
            .map(|it| it.name())
            .collect();
        // What is dead is freed in the background.
        names.truncate(steps.len());
        assert_eq!(names, steps, "{what}");
    }
    let (server, cache) = filled().await;
    let before = resident();
    let began = Instant::now();
    cache.evict(Evict::pattern("l?st:*")).await.unwrap();
    let grown = resident().saturating_sub(before);
    println!("free pattern: {:?}, {grown} bytes more", began.elapsed());
    assert!(server.cli(&["DBSIZE"]).await.int() < 100);
    assert!(grown < 64 << 20, "it streams: {grown} bytes");
    if began.elapsed() > Duration::from_secs(3) {
        let told = logs
            .all()
            .iter()
            .any(|(_, line)| line.contains("a scan of Redis goes on"));
        assert!(told, "a long scan tells how far it has come");
    }
}
