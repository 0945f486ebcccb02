//! Who is meant: arguments that mean something to keys, secrets, users, and functions of one name.

use std::collections::HashSet;

use cache_runtime::{Served, cache_evict, cacheable, traced};
use tests::logs::Logs;
use tests::scenarios::origin::{End, Origin, Source};
use tests::scenarios::processes::{builder, connected, keys, process};
use tests::server::RedisServer;

use crate::kit::{in_form, measured};

#[cacheable(key = "echo:{one}:{two}")]
async fn echo(one: &str, two: &str) -> (String, String) {
    (one.to_owned(), two.to_owned())
}

#[cache_evict(pattern = "echo:{one}:*")]
async fn forget(one: &str) {
    let _ = one;
}

#[cacheable(key = "held:{argument}", l1 = false)]
async fn held(argument: &str, source: &Source) -> u64 {
    source.load("held").await.expect("the origin is up")
}

/// Short texts of what means something to keys, globs, hash tags and the wire.
fn texts(random: &mut fastrand::Rng, count: usize) -> Vec<String> {
    let pieces = [
        ":", "*", "?", "[", "]", "{", "}", "\r\n", "\0", "%", "\\", "ä", "a\u{308}", "🦀", "a",
        "A", " ", "#", "^", "-", "~",
    ];
    let mut texts: HashSet<String> = pieces.iter().map(|&it| it.to_owned()).collect();
    texts.insert(String::new());
    while texts.len() < count {
        let length = random.usize(..6);
        texts.insert(
            (0..length)
                .map(|_| pieces[random.usize(..pieces.len())])
                .collect(),
        );
    }
    texts.into_iter().collect()
}

/// What Redis Cluster hashes: what is between the first `{` and the first `}` after it, if there is anything.
fn hash_tag(key: &str) -> &str {
    let tag = key
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'));
    tag.map(|(tag, _)| tag)
        .filter(|tag| !tag.is_empty())
        .unwrap_or(key)
}

#[tokio::test]
async fn fault_59_arguments_that_mean_something() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (cache, other) = (process(&server).await, process(&server).await);
    let seed = tests::variables::number("SEED").unwrap_or_else(|| fastrand::u64(..));
    let texts = texts(&mut fastrand::Rng::with_seed(seed), in_form(2_000, 200));
    for text in &texts {
        let answer = cache.as_current(traced(echo(text, "x"))).await;
        let expected = ((text.clone(), "x".to_owned()), Some(Served::Loaded));
        assert_eq!(answer, expected, "SEED={seed}: nobody has asked for it");
    }
    for text in &texts {
        let answer = other.as_current(traced(echo(text, "x"))).await;
        let expected = ((text.clone(), "x".to_owned()), Some(Served::Redis));
        assert_eq!(answer, expected, "SEED={seed}");
    }
    let stored = keys(&server).await;
    assert_eq!(stored.len(), texts.len(), "SEED={seed}: one key each");
    let slots: HashSet<_> = stored.iter().map(|key| hash_tag(key)).collect();
    assert_eq!(slots.len(), texts.len(), "SEED={seed}: one slot each");
    // The neighbours stay.
    let evicted = &texts[..texts.len().min(100)];
    for text in evicted {
        let before = keys(&server).await.len();
        cache.as_current(forget(text)).await;
        assert_eq!(
            keys(&server).await.len(),
            before - 1,
            "SEED={seed}: {text:?}"
        );
    }
    // A value and its lease are in one slot.
    for text in &texts[..texts.len().min(100)] {
        origin.hold(1);
        let before: HashSet<_> = keys(&server).await.into_iter().collect();
        let begun = origin.loads("held");
        let look = async {
            origin.begun("held", begun + 1).await;
            let during = keys(&server).await;
            origin.release(End::Value);
            during
        };
        let source = origin.source();
        let (_, lease) = tokio::join!(cache.as_current(held(text, &source)), look);
        let new = |all: Vec<String>| -> Vec<String> {
            all.into_iter()
                .filter(|key| !before.contains(key))
                .collect()
        };
        let (lease, value) = (new(lease), new(keys(&server).await));
        assert!(lease.len() == 1 && value.len() == 1, "{lease:?} {value:?}");
        assert_eq!(
            hash_tag(&lease[0]),
            hash_tag(&value[0]),
            "SEED={seed}: {text:?}"
        );
    }
    measured(
        59,
        format_args!(
            "{} arguments: as many keys and slots; {} evictions by prefix hit no neighbour; values and leases in one slot",
            texts.len(),
            evicted.len()
        ),
    );
}

#[cacheable(skip(_connection))]
async fn orders(user: u64, _connection: u64) -> Vec<u64> {
    vec![user; 3]
}

#[tokio::test]
async fn fault_61_users_see_their_own() {
    let server = RedisServer::start().await;
    let (one, other) = (process(&server).await, process(&server).await);
    let users = in_form(1_000, 100);
    for user in 0..users {
        for (node, connection) in [(&one, 1), (&other, 2), (&one, 3)] {
            let seen = node.as_current(orders(user, connection)).await;
            assert_eq!(seen, vec![user; 3], "of another user");
        }
    }
    assert_eq!(keys(&server).await.len() as u64, users, "one key for each");
    let loads = one.stats().total.loads + other.stats().total.loads;
    assert_eq!(loads, users, "what is skipped is in no key");
    measured(
        61,
        format_args!(
            "{users} users: {loads} loads, 0 of another; leaving an argument out takes its name in `skip`"
        ),
    );
}

const TOKEN: &str = "t0psecret";
const PASSWORD: &str = "pa55word";

#[cacheable(key = "session:{token}:{page}", secret(token), tags = ["session:{token}"], scope = "user:{token}")]
async fn session(token: &str, page: &str) -> usize {
    token.len() + page.len()
}

#[cache_evict(key = "session:{token}:{page}", tags = ["session:{token}"], scope = "user:{token}", secret(token))]
async fn log_out(token: &str, page: &str) {
    let _ = (token, page);
}

#[tokio::test]
async fn fault_63_secrets() {
    let logs = Logs::capture();
    let server = RedisServer::builder().password(PASSWORD).start().await;
    let mut monitor = server.monitor().await;
    let cache = connected(builder(&server).key_secret([1; 32])).await;
    let long = "p".repeat(600);
    let mut looked_at = Vec::new();
    for page in ["a", &long] {
        for _ in 0..2 {
            cache.as_current(session(TOKEN, page)).await;
        }
        for key in server.cli(&["KEYS", "*"]).await.list() {
            for read in ["GET", "HGETALL"] {
                looked_at.push(server.cli(&[read, &key]).await.text());
            }
            looked_at.push(key);
        }
        cache.as_current(log_out(TOKEN, page)).await;
    }
    let commands = monitor.take().await;
    assert!(commands.len() > 9, "{commands:?}");
    // The server itself shows the password of `AUTH` to nobody.
    looked_at.extend(commands.iter().map(|command| command.text()));
    server.set_password(Some("an0ther")).await;
    let why = crate::kit::down_because(&cache, "WRONGPASS").await;
    let error = cache
        .evict(cache_runtime::Evict::all())
        .await
        .expect_err("it is queued");
    looked_at.extend([why, format!("{error} {error:?}")]);
    let (health, stats) = (cache.health(), cache.stats());
    looked_at.push(format!(
        "{cache:?} {health} {health:?} {stats:?} {:?}",
        builder(&server)
    ));
    let lines = logs.all();
    assert!(lines.len() > 2, "{lines:?}");
    looked_at.extend(lines.into_iter().map(|(_, line)| line));
    let hits: Vec<_> = looked_at
        .iter()
        .filter(|text| {
            [TOKEN, PASSWORD, "an0ther"]
                .iter()
                .any(|it| text.contains(it))
        })
        .collect();
    assert!(hits.is_empty(), "{hits:?}");
    measured(
        63,
        format_args!(
            "0 hits in {} keys, values, commands, log lines, errors and reports",
            looked_at.len()
        ),
    );
}

mod one {
    #[cache_runtime::cacheable]
    pub(super) async fn find(id: u64) -> u64 {
        id
    }
}

mod two {
    #[cache_runtime::cacheable]
    pub(super) async fn find(id: u64) -> String {
        format!("number {id}")
    }
}

/// The same key by hand, and another type.
#[cacheable(key = "found:{id}")]
async fn number(id: u64) -> u64 {
    id
}

#[cacheable(key = "found:{id}")]
async fn text(id: u64) -> String {
    format!("number {id}")
}

#[tokio::test]
async fn fault_64_functions_of_one_name() {
    let server = RedisServer::start().await;
    let (cache, other) = (process(&server).await, process(&server).await);
    for node in [&cache, &other, &cache] {
        for id in 0..50 {
            assert_eq!(node.as_current(one::find(id)).await, id);
            assert_eq!(node.as_current(two::find(id)).await, format!("number {id}"));
        }
    }
    let stored = keys(&server).await.len();
    assert_eq!(stored, 100, "a key for each function and argument");
    let loads = cache.stats().total.loads + other.stats().total.loads;
    assert_eq!(loads, 100, "none takes the other's place");
    for _ in 0..3 {
        assert_eq!(cache.as_current(number(7)).await, 7);
        assert_eq!(other.as_current(text(7)).await, "number 7");
    }
    measured(
        64,
        format_args!(
            "default keys: {stored} for 2 functions of 50 arguments, {loads} loads; one key by hand: misses, 0 of another type"
        ),
    );
}
