//! What the rows have in common: how late a call is, when Redis is used again, and the line with the figure.

use std::fmt::Display;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cache_runtime::{Cache, RedisHealth, Served, cacheable, traced};
use tests::eventually;
use tests::scenarios::processes::{has, value_of};
use tests::server::RedisServer;
use tests::times::Times;

/// What a call may lose to Redis, once.
pub(crate) const T: Duration = Duration::from_millis(100);

/// The same on a machine of two cores that does much else: far less than what a caller would wait for a connection.
pub(crate) const LATE: Duration = T.saturating_mul(4);

/// What such a machine may add to a recovery.
pub(crate) const ROOM: Duration = Duration::from_millis(1_500);

/// What a call may take once Redis is known to be down. Without optimisation the code under test is many times slower.
pub(crate) const AT_ONCE: Duration = if cfg!(debug_assertions) {
    Duration::from_millis(1)
} else {
    Duration::from_micros(50)
};

/// Whether faults last as long as the table says, not just as long as it takes to see what becomes of them.
pub(crate) fn full() -> bool {
    std::env::var("FAULTS").is_ok_and(|form| form == "full")
}

/// The one in the full form, the other in the short one.
pub(crate) fn in_form<T>(full_form: T, short: T) -> T {
    if full() { full_form } else { short }
}

/// Tells what was measured for a row, on one line.
pub(crate) fn measured(row: u8, what: impl Display) {
    println!("fault {row:02}: measured {what}");
}

/// Seconds or milliseconds, as short as they can be read.
pub(crate) fn short(time: Duration) -> String {
    match time.as_micros() {
        micros if micros >= 1_000_000 => format!("{:.1} s", time.as_secs_f64()),
        micros if micros >= 10_000 => format!("{} ms", micros / 1_000),
        micros if micros >= 1_000 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        _ => format!("{:.1} µs", time.as_secs_f64() * 1e6),
    }
}

/// Half of them, and all but one of a hundred.
pub(crate) fn half_and_most(times: &Times) -> String {
    let (half, most) = (short(times.median()), short(times.percentile(99)));
    format!("{half} (p99 {most})")
}

/// Its origin takes no time, so that the whole of a call is what the cache costs.
#[cacheable(
    key = "instant:{id}",
    ttl = "10m",
    stampede_protection,
    wait_timeout = "60s"
)]
pub(crate) async fn instant(id: u64) -> u64 {
    id
}

/// The key of its entry in Redis.
pub(crate) fn entry(id: u64) -> String {
    value_of(&format!("instant:{id}"))
}

/// A number nobody has asked for.
pub(crate) fn new_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// How late a call for something new is, which is answered rightly.
pub(crate) async fn late(cache: &Cache) -> Duration {
    let id = new_id();
    let call = cache.as_current(instant(id));
    let begun = Instant::now();
    assert_eq!(call.await, id, "the origin's answer");
    begun.elapsed()
}

pub(crate) fn is_down(cache: &Cache) -> bool {
    matches!(cache.health().redis, RedisHealth::Down { .. })
}

/// The reason that health gives for Redis being down, once it says this.
pub(crate) async fn down_because(cache: &Cache, what: &str) -> String {
    eventually::some("health says why", async || match cache.health().redis {
        RedisHealth::Down { why, .. } if why.contains(what) => Some(why),
        _ => None,
    })
    .await
}

/// As many calls as it takes until Redis is known to be down, each late by no more than T: how many, and the latest.
pub(crate) async fn until_down(cache: &Cache) -> (usize, Duration) {
    let (mut calls, mut latest) = (0, Duration::ZERO);
    eventually::holds("Redis is known to be down", async || {
        latest = latest.max(late(cache).await);
        calls += 1;
        is_down(cache)
    })
    .await;
    assert!(latest < LATE, "{latest:?}");
    (calls, latest)
}

/// Calls while Redis is down, which are not late.
pub(crate) async fn not_late(cache: &Cache) -> Times {
    let mut times = Times::default();
    for _ in 0..2_000 {
        times.add(late(cache).await);
    }
    assert!(times.median() < AT_ONCE, "{times}");
    times
}

/// Waits until a load is stored in Redis.
pub(crate) async fn stores_again(cache: &Cache, server: &RedisServer) {
    eventually::holds("a load is stored in Redis", async || {
        let id = new_id();
        let (value, served) = cache.as_current(traced(instant(id))).await;
        assert_eq!((value, served), (id, Some(Served::Loaded)));
        has(server, &entry(id)).await
    })
    .await;
}

/// How long after a moment loads are stored again; no longer than is required, with room.
pub(crate) async fn back_within(
    required: Duration,
    cache: &Cache,
    server: &RedisServer,
    since: Instant,
) -> Duration {
    stores_again(cache, server).await;
    let took = since.elapsed();
    assert!(took < required + ROOM, "{took:?}");
    took
}

/// Whether this is a process for this one test, by the name it is run by. If not, it is run in one: the memory of a process is that of all tests that run in it.
pub(crate) fn is_alone(test: &str) -> bool {
    const ALONE: &str = "FAULT_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let this = std::env::current_exe().expect("this is a program");
    let ended = Command::new(this)
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .expect("this program can be started");
    let said = String::from_utf8_lossy(&ended.stdout);
    let complained = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}{complained}");
    assert!(
        said.contains("1 passed"),
        "there is no test called {test}: {said}"
    );
    said.lines()
        .filter(|line| line.contains(": measured "))
        .for_each(|line| println!("{line}"));
    false
}

/// What this process has in memory, in bytes.
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB"));
    1024 * kilobytes.map_or(0, |number| number.trim().parse().unwrap_or(0))
}

/// What was added since, in megabytes.
pub(crate) fn megabytes_since(before: u64) -> u64 {
    resident().saturating_sub(before) >> 20
}
