//! Answers that are no answers: torn, nonsensical, or announcing more than there is.

use std::time::{Duration, Instant};

use tests::scenarios::processes::{connected, of_url};
use tests::scripted::{Say, Scripted, is};
use tests::server::RedisServer;

use crate::kit::{
    LATE, back_within, down_because, is_alone, late, measured, megabytes_since, resident, short,
    stores_again,
};

const BACK: Duration = Duration::from_millis(2_500);

/// What is answered to `GET`, and whether the connection is closed behind it.
fn nonsense() -> Vec<(&'static str, Vec<u8>, bool)> {
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("nothing", text(""), true),
        ("half a length", text("$10"), true),
        ("half a string", text("$10\r\nabc"), true),
        ("no RESP", text("HTTP/1.1 400 Bad Request\r\n\r\n"), false),
        ("no length", text("$abc\r\n"), false),
        ("no number", text(":abc\r\n"), false),
        ("a length below nothing", text("$-7\r\n"), false),
        (
            "a length beyond everything",
            text("$99999999999999999999\r\n"),
            false,
        ),
        (
            "a list beyond everything",
            text("*9223372036854775807\r\n"),
            false,
        ),
        ("a list of a billion", text("*1000000000\r\n"), false),
        ("lists in lists", text("*1\r\n").repeat(100_000), false),
        ("a list", text("*2\r\n$1\r\na\r\n$1\r\nb\r\n"), false),
        ("a number", text(":7\r\n"), false),
        ("a status", text("+OK\r\n"), false),
        ("an error", text("-ERR what was that?\r\n"), false),
        ("zeros", vec![0; 10_000], false),
        (
            "noise",
            (0..10_000_u32).map(|n| (n * 7 + n / 251) as u8).collect(),
            false,
        ),
    ]
}

#[tokio::test]
async fn fault_11_truncated_and_garbage() {
    if !is_alone("garbage::fault_11_truncated_and_garbage") {
        return;
    }
    let server = RedisServer::start().await;
    let hop = Scripted::start(server.addr()).await;
    let cache = connected(of_url(&hop.url())).await;
    let (mut latest, mut slowest, before) = (Duration::ZERO, Duration::ZERO, resident());
    let all = nonsense();
    for (what, bytes, last) in &all {
        stores_again(&cache, &server).await;
        let (bytes, last) = (bytes.clone(), *last);
        hop.say(move |parts| match is(parts, "GET") {
            true if last => Say::Last(bytes.clone()),
            true => Say::Bytes(bytes.clone()),
            false => Say::Pass,
        });
        for _ in 0..3 {
            let late = late(&cache).await;
            assert!(late < LATE, "{what}: {late:?}");
            latest = latest.max(late);
        }
        hop.say(|_| Say::Pass);
        let back = back_within(BACK, &cache, &server, Instant::now()).await;
        slowest = slowest.max(back);
    }
    let grown = megabytes_since(before);
    assert!(grown < 64, "{grown} MB more");
    measured(
        11,
        format_args!(
            "{} kinds: at most {} late, {grown} MB more, back after at most {}",
            all.len(),
            short(latest),
            short(slowest)
        ),
    );
}

/// What a server announces in vain, and what it is answered to.
fn announcements() -> [(&'static str, &'static str, Vec<u8>); 4] {
    let text = |text: &str| text.as_bytes().to_vec();
    [
        ("a value", "GET", text("$536870912\r\n")),
        (
            "the value of an acquire",
            "EVALSHA",
            text("*2\r\n+value\r\n$536870912\r\n"),
        ),
        ("a list", "GET", text("*33554432\r\n$16\r\n")),
        ("a status without an end", "GET", text("+OK")),
    ]
}

#[tokio::test]
async fn fault_12_half_a_gigabyte_announced() {
    const ANNOUNCED: usize = 512 << 20;
    if !is_alone("garbage::fault_12_half_a_gigabyte_announced") {
        return;
    }
    let server = RedisServer::start().await;
    let hop = Scripted::start(server.addr()).await;
    let cache = connected(of_url(&hop.url())).await;
    let (mut latest, mut slowest, before) = (Duration::ZERO, Duration::ZERO, resident());
    let mut peak = before;
    for (what, asked, bytes) in announcements() {
        stores_again(&cache, &server).await;
        let taken = hop.taken();
        hop.say(move |parts| match is(parts, asked) {
            true => Say::Endless(bytes.clone(), ANNOUNCED),
            false => Say::Pass,
        });
        let (errors, begun) = (cache.stats().total.redis_errors, Instant::now());
        for _ in 0..20 {
            let late = late(&cache).await;
            assert!(late < LATE, "{what}: {late:?}");
            latest = latest.max(late);
            tokio::time::sleep(Duration::from_millis(50)).await;
            peak = peak.max(resident());
        }
        assert!(cache.stats().total.redis_errors > errors, "{what}: counted");
        let why = down_because(&cache, "").await;
        assert!(
            why.contains("an answer of") || why.contains("a line"),
            "{what}: {why}"
        );
        let taken = (hop.taken() - taken) >> 20;
        assert!(
            taken < 256,
            "{what}: {taken} MB taken within {:?}",
            begun.elapsed()
        );
        hop.say(|_| Say::Pass);
        slowest = slowest.max(back_within(BACK, &cache, &server, Instant::now()).await);
    }
    let grown = peak.saturating_sub(before) >> 20;
    assert!(grown < 64, "{grown} MB more at the most");
    measured(
        12,
        format_args!(
            "{} kinds: refused, at most {} late, at the most {grown} MB more, back after at most {}",
            announcements().len(),
            short(latest),
            short(slowest)
        ),
    );
}
