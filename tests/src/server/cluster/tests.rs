use std::time::Instant;

use tokio::net::TcpStream;

use super::*;
use crate::resp::Client;

/// What a cluster may take to come up on a machine that does much else. Two seconds of it are the servers' own.
const COMES_UP: Duration = Duration::from_secs(15);

/// A key of this slot, one of many.
fn key_in(slot: u16, number: u32) -> String {
    let tag = (0..)
        .map(|n| format!("t{n}"))
        .find(|it| slot_of(it) == slot);
    format!("{{{}}}{number}", tag.expect("every slot has keys"))
}

async fn asked(node: &Node, command: &[&str]) -> String {
    node.server.cli(command).await.text()
}

#[tokio::test]
async fn six_nodes_are_a_cluster_and_gone_when_dropped() {
    let begun = Instant::now();
    let cluster = Cluster::with_replicas().await;
    let took = begun.elapsed();
    println!("3 primaries and 3 replicas after {took:?}");
    assert!(took < COMES_UP, "{took:?}");
    let mut owners = Vec::new();
    for number in 0..100 {
        let key = format!("shop:{{key:{number}}}:lease");
        let slot = slot_of(&key);
        let told = asked(&cluster.nodes()[5], &["CLUSTER", "KEYSLOT", &key]).await;
        assert_eq!(told, slot.to_string());
        let owner = cluster.primary_of(slot).await;
        assert_eq!(owner.id, cluster.nodes()[cluster.shard_of(&key)].id);
        assert_eq!(asked(owner, &["SET", &key, "v"]).await, "OK");
        owners.push(&owner.id);
    }
    owners.sort();
    owners.dedup();
    assert_eq!(owners.len(), 3, "every primary has some");
    for (primary, replica) in cluster.nodes()[..3].iter().zip(&cluster.nodes()[3..]) {
        assert_eq!(cluster.replica_of(primary).await.id, replica.id);
    }
    let addrs: Vec<_> = cluster.nodes().iter().map(|it| it.server.addr()).collect();
    drop(cluster);
    for addr in addrs {
        assert!(TcpStream::connect(addr).await.is_err());
    }
}

#[tokio::test]
async fn killed_primary_is_replaced_by_its_replica_and_becomes_one() {
    let cluster = Cluster::with_replicas().await;
    let key = key_in(7, 0);
    cluster.cli(&key, &["SET", &key, "kept"]).await;
    let old = cluster.primary_of(7).await;
    let replica = cluster.replica_of(old).await;
    replica.server.has_all_of(&old.server).await;
    old.server.kill();
    let new = cluster.primary_other_than(old, 7).await;
    assert_eq!(asked(new, &["GET", &key]).await, "kept");
    old.server.restart().await;
    cluster.settled().await;
    assert_eq!(cluster.replica_of(new).await.id, old.id);
}

#[tokio::test]
async fn stopped_primary_is_replaced_and_a_planned_failover_gives_the_slots_back() {
    let cluster = Cluster::with_replicas().await;
    let first = cluster.primary_of(16_000).await;
    let other = timeout(MOMENT, cluster.primary_other_than(first, 16_000));
    assert!(other.await.is_err(), "there is no reason for another");
    first.server.stop();
    let second = cluster.primary_other_than(first, 16_000).await;
    first.server.cont();
    cluster.settled().await;
    let third = cluster.fail_over(second, 16_000).await;
    assert_eq!(third.id, first.id);
    assert_eq!(cluster.primary_of(16_000).await.id, first.id);
}

#[tokio::test]
async fn in_the_middle_of_a_migration_keys_are_asked_for_elsewhere() {
    let password = Some("secret");
    let settings = Settings {
        password,
        ..Settings::default()
    };
    let cluster = settings.start().await;
    let keys: Vec<_> = (0..4).map(|number| key_in(9_000, number)).collect();
    for key in &keys {
        cluster.cli(key, &["SET", key, "v"]).await;
    }
    let to = &cluster.nodes()[0];
    let migration = cluster.begin_migration(9_000, to).await;
    let from = migration.from;
    assert_eq!(migration.left().await.len(), 4);
    migration.move_keys(&keys[..2]).await;
    assert_eq!(migration.left().await.len(), 2);
    let ask = asked(from, &["GET", &keys[0]]).await;
    assert!(ask.starts_with("ASK 9000 127.0.0.1:"), "{ask}");
    assert_eq!(asked(from, &["GET", &keys[2]]).await, "v", "not moved yet");
    let both = asked(from, &["MGET", &keys[0], &keys[2]]).await;
    assert!(both.starts_with("TRYAGAIN"), "{both}");
    assert_eq!(cluster.primary_of(9_000).await.id, from.id);
    migration.finish().await;
    assert_eq!(cluster.primary_of(9_000).await.id, to.id);
    assert_eq!(asked(to, &["GET", &keys[3]]).await, "v");
    let moved = asked(from, &["GET", &keys[0]]).await;
    assert!(moved.starts_with("MOVED 9000 127.0.0.1:"), "{moved}");
    cluster.migrate(9_000, from).await;
    assert_eq!(asked(from, &["GET", &keys[3]]).await, "v");
    cluster.settled().await;
}

#[tokio::test]
async fn slots_can_be_taken_away_and_given_to_another() {
    let cluster = Cluster::start().await;
    let [one, two, _] = cluster.nodes() else {
        panic!("three primaries");
    };
    cluster.unassign(5..8).await;
    let refused = asked(two, &["GET", &key_in(6, 0)]).await;
    assert!(refused.starts_with("CLUSTERDOWN"), "{refused}");
    assert_eq!(asked(one, &["GET", &key_in(4, 0)]).await, "");
    cluster.assign(two, 5..8).await;
    assert_eq!(cluster.primary_of(7).await.id, two.id);
    cluster.settled().await;
    assert_eq!(asked(two, &["SET", &key_in(6, 0), "v"]).await, "OK");
}

#[tokio::test]
async fn coverage_decides_whether_one_lost_primary_is_the_end_of_all() {
    for full_coverage in [true, false] {
        let settings = Settings {
            full_coverage,
            ..Settings::default()
        };
        let cluster = settings.start().await;
        let [lost, other, _] = cluster.nodes() else {
            panic!("three primaries");
        };
        lost.server.kill();
        let seen = async || other.view().await?.of(&lost.id).map(|it| it.well);
        eventually::holds("it is missed", async || seen().await == Some(false)).await;
        let key = key_in(9_000, 0);
        if full_coverage {
            eventually::holds("the cluster is down", async || {
                asked(other, &["GET", &key])
                    .await
                    .starts_with("CLUSTERDOWN")
            })
            .await;
        } else {
            assert_eq!(asked(other, &["SET", &key, "v"]).await, "OK");
        }
    }
}

#[tokio::test]
async fn clients_are_led_through_the_proxies_and_replicas_are_let_through() {
    let settings = Settings {
        replicas: 1,
        proxies: true,
        ..Settings::default()
    };
    let cluster = settings.start().await;
    let ports: Vec<_> = cluster.nodes().iter().map(|it| it.proxy().addr()).collect();
    for addr in &ports {
        assert!(cluster.url().contains(&addr.to_string()), "{addr}");
    }
    let key = key_in(0, 0);
    let (primary, other) = (&cluster.nodes()[0], &cluster.nodes()[1]);
    let moved = asked(other, &["GET", &key]).await;
    assert_eq!(moved, format!("MOVED 0 {}", primary.proxy().addr()));
    let stream = TcpStream::connect(primary.proxy().addr()).await;
    let mut client = Client::new(stream.expect("it listens"));
    assert!(client.command(&["PING"]).await.is_ok());
    // The replica has come this way, and a network that is bad for clients is not for it.
    assert!(primary.proxy().accepted() > 1);
    let accepted = primary.proxy().accepted();
    primary.proxy().reset_all();
    assert!(client.command(&["PING"]).await.is_err());
    primary.proxy().set(crate::proxy::Mode::BlackHole).await;
    let replicated = ["SET", &key, "v"];
    assert_eq!(asked(primary, &replicated).await, "OK");
    let replica = cluster.replica_of(primary).await;
    replica.server.has_all_of(&primary.server).await;
    assert_eq!(primary.proxy().accepted(), accepted, "no new link");
    primary.proxy().set(crate::proxy::Mode::Pass).await;
    // It comes back behind its proxy.
    other.server.restart().await;
    cluster.settled().await;
    let slot = 9_000;
    let moved = asked(primary, &["GET", &key_in(slot, 0)]).await;
    let owner = cluster.primary_of(slot).await;
    assert_eq!(moved, format!("MOVED {slot} {}", owner.proxy().addr()));
}

#[tokio::test]
async fn everybody_speaks_tls_and_asks_for_the_password() {
    // Another test of this process may have been faster.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = Settings {
        password: Some("secret"),
        tls: true,
        replicas: 1,
        ..Settings::default()
    };
    let cluster = settings.start().await;
    let url = cluster.url();
    assert!(url.starts_with("rediss-cluster://:secret@127.0.0.1:"));
    let first = url.rsplit('@').next().and_then(|it| it.split(',').next());
    let first = format!("rediss://:secret@{}", first.expect("a node"));
    let authority = std::fs::read(cluster.ca_file().expect("it speaks TLS"));
    let trusted = redis::TlsCertificates {
        client_tls: None,
        root_cert: Some(authority.expect("the file is there")),
    };
    let client = redis::Client::build_with_tls(first, trusted).expect("the URL is valid");
    let mut connection = client
        .get_multiplexed_async_connection()
        .await
        .expect("the certificate is trusted");
    let key = key_in(SLOTS - 1, 0);
    let get = redis::cmd("GET").arg(&key).to_owned();
    let moved = get.query_async::<String>(&mut connection).await;
    let moved = moved.expect_err("another node has the slot");
    let (addr, _) = moved.redirect_node().expect("it says which");
    assert!(url.contains(addr), "{addr} speaks TLS");
}
