//! A million entries: what costs the same as one, and what streams. A program of its own, because it looks at its own memory.

use std::fs;
use std::time::{Duration, Instant};

use cache_runtime::{Cache, Evict, Policy, key};
use tests::logs::Logs;
use tests::proxy::{Mode, Proxy};
use tests::scenarios::processes::{commands, connected, of_url, process};
use tests::server::{Command, RedisServer};

const MANY: u64 = 1_000_000;
/// Written by one script, which holds the server up.
const STEP: usize = 20_000;
/// Some of the entries.
const SOME: [u64; 4] = [0, 1, MANY / 2, MANY - 1];

/// Puts a million entries below one region that carry a tag: the same bytes, which nothing but their generations tells apart.
async fn fill(server: &RedisServer, cache: &Cache) {
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
}

/// What a process that has just come reads.
async fn found(server: &RedisServer) -> Vec<Option<u64>> {
    let cache = process(server).await;
    let mut found = Vec::new();
    for id in SOME {
        found.push(cache.get(&key!("list:of:{id}")).await);
    }
    found
}

/// What an eviction sends that kills all of them, and how long that takes.
async fn evicted(server: &RedisServer, cache: &Cache, evict: Evict) -> Vec<Command> {
    assert_eq!(found(server).await, [Some(7); SOME.len()]);
    let mut monitor = server.monitor().await;
    let began = Instant::now();
    cache.evict(evict).await.expect("the server is up");
    println!("{:?}", began.elapsed());
    let sent = commands(&mut monitor).await;
    assert_eq!(found(server).await, [None; SOME.len()]);
    sent
}

fn names(commands: &[Command]) -> Vec<String> {
    commands.iter().map(Command::name).collect()
}

/// The most memory this process had since it was last reset, and has now: bytes.
fn most_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux tells");
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = most.and_then(|most| most.trim().strip_suffix(" kB"));
    kilobytes
        .and_then(|it| it.parse::<u64>().ok())
        .expect("a number")
        << 10
}

#[tokio::test]
async fn a_million_entries_are_evicted_by_label_in_one_round_trip_and_by_pattern_in_a_stream() {
    let server = RedisServer::start().await;
    let cache = process(&server).await;
    fill(&server, &cache).await;
    let sent = evicted(&server, &cache, Evict::tag("listed")).await;
    assert_eq!(names(&sent), ["EVALSHA"]);

    // They are dead, and there.
    a_free_pattern_streams(&server).await;

    fill(&server, &cache).await;
    let sent = evicted(&server, &cache, Evict::pattern("list:of:*")).await;
    let (evicting, freeing) = sent.split_at(3);
    assert_eq!(names(evicting), ["EVALSHA", "EVALSHA", "HGETALL"]);
    // What is dead is freed in the background, by a scan of values; one that evicts enters itself among the sweeps.
    let is_freeing = |it: &Command| {
        let scans = ["SCAN", "GETRANGE", "EVALSHA"].contains(&it.name().as_str());
        it.text().contains("{#sweep}") || (scans && !it.text().contains("#sweeps"))
    };
    let others: Vec<_> = freeing
        .iter()
        .filter(|it| !is_freeing(it))
        .map(Command::text)
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

/// Evicts all of them by a pattern that no label covers.
async fn a_free_pattern_streams(server: &RedisServer) {
    // A thousand answers take two seconds, and after one it tells how far it is.
    let proxy = Proxy::start(server.addr()).await;
    proxy.set(Mode::Delay(Duration::from_millis(2))).await;
    let cache = connected(of_url(&server.url_via(&proxy))).await;
    let logs = Logs::capture();
    fs::write("/proc/self/clear_refs", "5").expect("Linux forgets the most there was");
    let (before, began) = (most_memory(), Instant::now());
    cache
        .evict(Evict::pattern("l?st:*"))
        .await
        .expect("the server is up");
    let grown = most_memory() - before;
    println!("free pattern: {:?}, {grown} bytes more", began.elapsed());
    assert!(server.cli(&["DBSIZE"]).await.int() < 100);
    assert!(grown < 16 << 20, "it streams: {grown} bytes");
    let told = |(_, line): &(_, String)| line.contains("a scan of Redis goes on");
    assert!(logs.seen().iter().any(told));
}
