//! A cluster as its processes see it: with no more than the documented account, and with a primary that is gone.

use std::time::Duration;

use cache_runtime::{BusHealth, Cache, Evict, Key, Served};
use serde_json::json;
use tests::eventually;
use tests::fleet::Fleet;
use tests::scenarios::functions::key;
use tests::scenarios::origin::{Origin, Source};
use tests::scenarios::processes::{ask, connected, of_url, value_of};
use tests::scenarios::{Answers, Call, Function, Open, What};
use tests::server::cluster::{Cluster, Settings};

use crate::permissions::account_of;

#[tokio::test]
async fn the_documented_account_is_enough_for_a_cluster() {
    let (cluster, origin) = (Cluster::start().await, Origin::start().await);
    let words = account_of("app", None);
    let words = words.iter().chain(&["+cluster|nodes", "+asking"]);
    let words: Vec<_> = words.copied().collect();
    for node in cluster.nodes() {
        assert_eq!(node.server.cli(&words).await.text(), "OK");
        node.server.cli(&["ACL", "LOG", "RESET"]).await;
    }
    let url = cluster.url().replace("://", "://app:s3cret@");
    let (one, other) = (connected(of_url(&url)).await, connected(of_url(&url)).await);
    let source = origin.source();
    for id in 0..20 {
        assert_eq!(ask(&one, &source, id).await, (1, Served::Loaded));
        assert_eq!(ask(&other, &source, id).await, (1, Served::Redis));
    }
    let all = [
        Evict::key(Key::new(&key(1))),
        Evict::pattern("product:1*"),
        Evict::pattern("product:*"),
        Evict::all(),
    ];
    for evict in all {
        origin.commit(&key(1));
        one.evict(evict).await.expect("it is confirmed");
        let new = ask(&one, &source, 1).await.0;
        eventually::holds("the other has heard of it", async || {
            ask(&other, &source, 1).await.0 == new
        })
        .await;
    }
    assert!(one.health().is_ok(), "{}", one.health());
    for node in cluster.nodes() {
        let refused = node.server.cli(&["ACL", "LOG"]).await.list();
        assert!(refused.is_empty(), "{refused:?}");
    }
}

/// Which authorities are trusted is a matter of the process, so those who use the cluster are processes of their own.
#[tokio::test]
async fn tls_is_spoken_with_every_primary_and_on_the_bus() {
    let settings = Settings {
        tls: true,
        ..Settings::default()
    };
    let (cluster, origin) = (settings.start().await, Origin::start().await);
    assert!(cluster.url().starts_with("rediss-cluster://"));
    let authority = cluster.ca_file().expect("it speaks TLS").to_owned();
    let fleet = Fleet::builder().env("SSL_CERT_FILE", authority).spawn(2);
    let fleet = fleet.await;
    let open = Open::at("cache", cluster.url());
    for opened in fleet.ask_all("open", json!(open)).await {
        opened.expect("it connects");
    }
    let ask = async |worker: usize, id: u64| {
        let call = Call {
            cache: "cache".to_owned(),
            name: "one".to_owned(),
            function: Function::Product,
            id,
            callers: 1,
            source: origin.source(),
        };
        let answer = fleet.worker(worker).ask("call", json!(call)).await;
        let answers: Answers = serde_json::from_value(answer.expect("it answers"))
            .expect("a worker answers calls with answers");
        let value = answers.values.into_keys().next();
        (value, answers.served.into_keys().next())
    };
    // Keys of every primary.
    for id in 0..12 {
        assert_eq!(ask(0, id).await, (Some(1), Some("Loaded".to_owned())));
        assert_eq!(ask(1, id).await, (Some(1), Some("Redis".to_owned())));
    }
    for id in 0..12 {
        let in_memory = async || ask(1, id).await.1 == Some("Memory".to_owned());
        eventually::holds("it is in memory", in_memory).await;
        origin.commit(&key(id));
        let evict = json!({ "cache": "cache", "what": What::Key(key(id)) });
        let evicted = fleet.worker(0).ask("evict", evict).await;
        evicted.expect("it is confirmed");
        let heard = async || ask(1, id).await.0 == Some(2);
        eventually::holds("the other has heard of it", heard).await;
    }
}

/// Ids whose entries are on this shard, in memory of this process.
async fn in_memory(cluster: &Cluster, cache: &Cache, source: &Source, shard: usize) -> Vec<u64> {
    let is_there = |id: &u64| cluster.shard_of(&value_of(&key(*id))) == shard;
    let ids: Vec<u64> = (0..).filter(is_there).take(5).collect();
    for id in &ids {
        eventually::holds("it is in memory", async || {
            ask(cache, source, *id).await.1 == Served::Memory
        })
        .await;
    }
    ids
}

/// The primary that is gone is the one that keeps the registry, which every entry depends on.
#[tokio::test]
async fn memory_serves_the_other_shards_while_a_primary_is_gone() {
    let (cluster, origin) = (Cluster::start().await, Origin::start().await);
    let source = origin.source();
    let (here, there) = (
        connected(of_url(&cluster.url())).await,
        connected(of_url(&cluster.url())).await,
    );
    let bad = cluster.shard_of("shop:#sites");
    let healthy = [(bad + 1) % 3, (bad + 2) % 3];
    let gone = in_memory(&cluster, &here, &source, bad).await;
    let mut kept = Vec::new();
    for shard in healthy {
        kept.extend(in_memory(&cluster, &here, &source, shard).await);
    }
    for node in cluster.nodes() {
        node.server
            .cli(&["CONFIG", "SET", "cluster-require-full-coverage", "no"])
            .await;
    }
    cluster.nodes()[bad].server.kill();
    for cache in [&here, &there] {
        eventually::holds("both have noticed", async || {
            matches!(cache.health().bus, BusHealth::Partly { .. })
        })
        .await;
    }
    // Longer than anything is believed without a beat.
    for _ in 0..20 {
        for id in &kept {
            assert_eq!(ask(&here, &source, *id).await, (1, Served::Memory), "{id}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for id in &gone {
        assert_ne!(ask(&here, &source, *id).await.1, Served::Memory, "{id}");
    }
    // And what the other evicts is heard.
    for id in &kept {
        origin.commit(&key(*id));
        let evicted = there.evict(Evict::key(Key::new(&key(*id)))).await;
        evicted.expect("its primary is there");
        eventually::holds("it is heard", async || {
            ask(&here, &source, *id).await.0 == 2
        })
        .await;
    }
    cluster.nodes()[bad].server.restart().await;
    cluster.settled().await;
    for cache in [&here, &there] {
        eventually::holds("all is well", async || cache.health().is_ok()).await;
    }
    for id in &gone {
        eventually::holds("it is in memory again", async || {
            ask(&here, &source, *id).await.1 == Served::Memory
        })
        .await;
    }
}
