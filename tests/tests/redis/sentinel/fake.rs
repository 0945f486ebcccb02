//! Sentinels that say what a test has them say: real ones are never torn in a way that can be arranged.

use std::net::SocketAddr;
use std::time::Instant;

use cache_runtime::Served;
use cache_runtime::testing::Hosts;
use tests::eventually;
use tests::logs::Logs;
use tests::scenarios::functions::{key, rename, save};
use tests::scenarios::origin::Origin;
use tests::scenarios::processes::{ask, connected, has, of_url, value_of};
use tests::server::{PRIMARY, RedisServer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::{FOLLOWED, process, says, uses};

/// What one says.
#[derive(Clone, Copy)]
pub(super) enum Says {
    Primary(SocketAddr),
    Unknown,
    Nothing,
}

pub(super) struct Fake {
    addr: SocketAddr,
    says: watch::Sender<Says>,
    acceptor: JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.acceptor.abort();
    }
}

impl Fake {
    pub(super) async fn start(says: Says) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("the system has a free port");
        let addr = listener.local_addr();
        let (says, heard) = watch::channel(says);
        Fake {
            addr: addr.expect("a bound listener has an address"),
            says,
            acceptor: tokio::spawn(async move {
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    connections.spawn(answer(stream, heard.clone()));
                }
            }),
        }
    }

    async fn three(says: Says) -> [Fake; 3] {
        [
            Fake::start(says).await,
            Fake::start(says).await,
            Fake::start(says).await,
        ]
    }

    pub(super) fn say(&self, says: Says) {
        self.says.send_replace(says);
    }
}

/// Each question ends with the name of the primary, on a line of its own.
async fn answer(stream: TcpStream, says: watch::Receiver<Says>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while let Ok(1..) = stream.read_line(&mut line).await {
        if line.trim_end() == PRIMARY {
            let answer = match *says.borrow() {
                Says::Nothing => String::new(),
                Says::Unknown => "*-1\r\n".to_owned(),
                Says::Primary(addr) => {
                    let (host, port) = (addr.ip().to_string(), addr.port().to_string());
                    let (long, short) = (host.len(), port.len());
                    format!("*2\r\n${long}\r\n{host}\r\n${short}\r\n{port}\r\n")
                }
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
        line.clear();
    }
}

async fn replica_of(primary: &RedisServer) -> RedisServer {
    let port = primary.addr().port().to_string();
    let replica = RedisServer::builder().args(&["--replicaof", "127.0.0.1", &port]);
    replica.start().await
}

fn url(sentinels: &[Fake]) -> String {
    let all: Vec<_> = sentinels.iter().map(|it| it.addr.to_string()).collect();
    format!("redis-sentinel://{}/{PRIMARY}", all.join(","))
}

#[tokio::test]
async fn primary_that_still_accepts_writes_is_left_when_the_sentinels_name_another() {
    // What the new one has is from the old one: nothing but its address tells that it is another.
    let old = RedisServer::start().await;
    let (new, origin) = (replica_of(&old).await, Origin::start().await);
    let sentinels = Fake::three(Says::Primary(old.addr())).await;
    let cache = process(&url(&sentinels)).await;
    eventually::holds("it is in memory, and in both servers", async || {
        ask(&cache, &origin.source(), 7).await.1 == Served::Memory
            && has(&new, &value_of(&key(7))).await
    })
    .await;
    new.cli(&["REPLICAOF", "NO", "ONE"]).await;
    // One is cut off with the old primary, and goes on naming it.
    sentinels[1].say(Says::Primary(new.addr()));
    sentinels[2].say(Says::Primary(new.addr()));
    let took = uses(&cache, &origin.source(), &new, 100).await;
    println!("the old primary is left after {took:?}");
    assert!(took < FOLLOWED, "{took:?}");
    assert_ne!(
        ask(&cache, &origin.source(), 7).await.1,
        Served::Memory,
        "what was filled while it was connected elsewhere is not believed"
    );
    eventually::holds("messages are heard from the new one alone", async || {
        let heard_at = async |server: &RedisServer| {
            let listeners = ["PUBSUB", "NUMSUB", "shop:#bus"];
            server.cli(&listeners).await.list()[1].clone()
        };
        heard_at(&new).await == "1" && heard_at(&old).await == "0"
    })
    .await;
}

#[tokio::test]
async fn what_the_old_primary_took_after_its_successor_was_chosen_is_evicted_again() {
    let old = RedisServer::start().await;
    let (new, origin) = (replica_of(&old).await, Origin::start().await);
    let (sentinels, source) = (
        Fake::three(Says::Primary(old.addr())).await,
        origin.source(),
    );
    let cache = process(&url(&sentinels)).await;
    for id in [7, 8, 9] {
        assert_eq!(ask(&cache, &source, id).await, (1, Served::Loaded));
        eventually::holds("it is in both servers", async || {
            has(&new, &value_of(&key(id))).await
        })
        .await;
    }
    new.cli(&["REPLICAOF", "NO", "ONE"]).await;
    assert_eq!(cache.as_current(rename(&source, 7)).await, 2);
    assert_eq!(cache.as_current(save(&source, 8)).await, Ok(2));
    assert_eq!(cache.health().queued_evictions, 0, "it was confirmed");
    for sentinel in &sentinels {
        sentinel.say(Says::Primary(new.addr()));
    }
    uses(&cache, &source, &new, 100).await;
    assert_eq!(ask(&cache, &source, 7).await, (2, Served::Loaded));
    assert_eq!(ask(&cache, &source, 8).await, (2, Served::Loaded));
    assert_eq!(
        ask(&cache, &source, 9).await,
        (1, Served::Redis),
        "nothing else is"
    );
}

#[tokio::test]
async fn one_sentinel_alone_is_not_followed() {
    let (good, stale) = (RedisServer::start().await, RedisServer::start().await);
    let origin = Origin::start().await;
    let sentinels = Fake::three(Says::Primary(good.addr())).await;
    sentinels[0].say(Says::Primary(stale.addr()));
    for _ in 0..5 {
        let cache = process(&url(&sentinels)).await;
        uses(&cache, &origin.source(), &good, 100).await;
        good.cli(&["FLUSHALL"]).await;
    }
    let cache = process(&url(&sentinels)).await;
    let serial = connections(&good).await;
    sentinels[1].say(Says::Unknown);
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    assert!(cache.health().is_ok());
    assert_eq!(connections(&good).await, serial, "it was never left");
    assert_eq!(stale.cli(&["DBSIZE"]).await.int(), 0);
}

async fn connections(server: &RedisServer) -> Vec<String> {
    let list = server.cli(&["CLIENT", "LIST"]).await.text();
    let ids = list.split_whitespace().filter(|it| it.starts_with("id="));
    let mut ids: Vec<_> = ids.map(str::to_owned).collect();
    // The last is who asks.
    ids.pop();
    ids
}

#[tokio::test]
async fn silent_sentinels_are_no_reason_to_leave_a_primary_and_are_logged_once() {
    let logs = Logs::capture();
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let sentinels = Fake::three(Says::Primary(server.addr())).await;
    let cache = process(&url(&sentinels)).await;
    let told = |what: &str| {
        let seen = logs.seen();
        seen.iter().filter(|(_, line)| line.contains(what)).count()
    };
    for sentinel in &sentinels {
        sentinel.say(Says::Nothing);
    }
    eventually::holds("it is logged", async || {
        told("a failover would not be noticed") == 1
    })
    .await;
    tokio::time::sleep(std::time::Duration::from_millis(2_500)).await;
    assert!(cache.health().is_ok(), "{}", cache.health());
    assert_eq!(told("no connection to Redis"), 0, "{:?}", logs.seen());
    for sentinel in &sentinels {
        sentinel.say(Says::Primary(server.addr()));
    }
    eventually::holds("that they are back is logged", async || {
        told("the Sentinels tell where the primary is") == 1
    })
    .await;
    assert_eq!(told("a failover would not be noticed"), 1);
    uses(&cache, &origin.source(), &server, 100).await;
}

#[tokio::test]
async fn replica_that_sentinels_name_is_not_used_and_is_said_to_be_one() {
    let (primary, origin) = (RedisServer::start().await, Origin::start().await);
    let replica = replica_of(&primary).await;
    let sentinels = Fake::three(Says::Primary(replica.addr())).await;
    let cache = of_url(&url(&sentinels)).build().unwrap();
    assert_eq!(ask(&cache, &origin.source(), 7).await, (1, Served::Loaded));
    let why = says(&cache, "read only replica").await;
    assert!(why.contains(&replica.addr().to_string()), "{why}");
    assert!(why.contains(PRIMARY), "{why}");
    // What they name next is tried without waiting for the present attempt's turn.
    let started = Instant::now();
    for sentinel in &sentinels {
        sentinel.say(Says::Primary(primary.addr()));
    }
    uses(&cache, &origin.source(), &primary, 100).await;
    assert!(started.elapsed() < FOLLOWED, "{:?}", started.elapsed());
}

#[tokio::test]
async fn wrong_name_and_sentinels_that_are_gone_are_said() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let sentinels = Fake::three(Says::Unknown).await;
    let cache = of_url(&url(&sentinels)).build().unwrap();
    assert_eq!(ask(&cache, &origin.source(), 7).await, (1, Served::Loaded));
    let why = says(&cache, "no Sentinel knows a primary").await;
    assert!(why.contains(&format!("`{PRIMARY}`")), "{why}");
    let addresses = sentinels.each_ref().map(|it| it.addr.to_string());
    drop(sentinels);
    let why = says(&cache, "no Sentinel can be asked").await;
    for address in addresses {
        assert!(why.contains(&address), "{address}: {why}");
    }
    // A Redis is no Sentinel.
    let wrong = format!("redis-sentinel://{}/{PRIMARY}", server.addr());
    let cache = of_url(&wrong).build().unwrap();
    assert_eq!(ask(&cache, &origin.source(), 7).await, (1, Served::Loaded));
    let why = says(&cache, "unknown command").await;
    assert!(why.contains(&server.addr().to_string()), "{why}");
}

#[tokio::test]
async fn names_of_sentinels_are_resolved_anew() {
    let (server, origin) = (RedisServer::start().await, Origin::start().await);
    let (first, second) = (
        Fake::start(Says::Primary(server.addr())).await,
        Fake::start(Says::Primary(server.addr())).await,
    );
    let hosts = Hosts::new();
    hosts.set("sentinel.test", first.addr);
    let url = format!("redis-sentinel://sentinel.test/{PRIMARY}");
    let cache = connected(of_url(&url).hosts(hosts.clone())).await;
    drop(first);
    hosts.set("sentinel.test", second.addr);
    let other = RedisServer::start().await;
    second.say(Says::Primary(other.addr()));
    let took = uses(&cache, &origin.source(), &other, 100).await;
    println!("asked the Sentinel that the name means now, and moved, within {took:?}");
    assert!(took < FOLLOWED, "{took:?}");
}
