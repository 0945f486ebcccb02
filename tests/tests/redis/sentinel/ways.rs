//! Real Sentinels, and the ways to them: accounts, host names, TLS, and some that do not answer.

use std::time::{Duration, Instant};

use cache_runtime::Served;
use serde_json::json;
use tests::eventually;
use tests::fleet::Fleet;
use tests::logs::Logs;
use tests::scenarios::Open;
use tests::scenarios::functions::key;
use tests::scenarios::origin::Origin;
use tests::scenarios::processes::{ask, connected, has, of_url, value_of};
use tests::server::{PRIMARY, Sentinels, Settings};

use super::{FOLLOWED, process, says, uses};

#[tokio::test]
async fn primary_is_found_and_nobody_else_is_connected_to() {
    let settings = Settings {
        replicas: 2,
        ..Settings::default()
    };
    let (all, origin) = (settings.start().await, Origin::start().await);
    let (one, other) = (process(&all.url()).await, process(&all.url()).await);
    assert_eq!(ask(&one, &origin.source(), 7).await, (1, Served::Loaded));
    assert_eq!(ask(&other, &origin.source(), 7).await, (1, Served::Redis));
    assert!(has(&all.servers()[0], &value_of(&key(7))).await);
    for replica in &all.servers()[1..] {
        let listeners = replica.cli(&["PUBSUB", "NUMSUB", "shop:#bus"]).await;
        assert_eq!(listeners.list()[1], "0", "nobody listens at a replica");
    }
    let listeners = all.servers()[0].cli(&["PUBSUB", "NUMSUB", "shop:#bus"]);
    assert_eq!(listeners.await.list()[1], "2");
}

#[tokio::test]
async fn passwords_of_servers_and_sentinels_are_used_and_shown_nowhere() {
    let logs = Logs::capture();
    let settings = Settings {
        password: Some("server1secret"),
        sentinel_password: Some("sentinel2secret"),
        ..Settings::default()
    };
    let (all, origin) = (settings.start().await, Origin::start().await);
    let cache = process(&all.url()).await;
    uses(&cache, &origin.source(), &all.servers()[0], 100).await;

    let none = all.url().replace("?sentinel_password=sentinel2secret", "");
    let without = of_url(&none).build().unwrap();
    ask(&without, &origin.source(), 7).await;
    let unsaid = says(&without, "NOAUTH").await;
    let wrong = all.url().replace("sentinel2secret", "wrong3secret");
    let with_another = of_url(&wrong).build().unwrap();
    ask(&with_another, &origin.source(), 7).await;
    let refused = says(&with_another, "WRONGPASS").await;

    let new = all.fail_over().await;
    uses(&cache, &origin.source(), new, 200).await;
    let told = format!(
        "{cache:?} {without:?} {with_another:?} {} {unsaid} {refused} {:?}",
        cache.health(),
        logs.all()
    );
    assert!(told.contains(PRIMARY), "there is something to look into");
    assert!(!told.contains("secret"), "{told}");
}

/// The permissions are those that `docs/operations.md` names.
#[tokio::test]
async fn account_at_the_sentinels_needs_one_command() {
    let (all, origin) = (Sentinels::start().await, Origin::start().await);
    let account = "ACL SETUSER app on >geheim -@all +sentinel|get-master-addr-by-name";
    let account: Vec<_> = account.split(' ').collect();
    for sentinel in all.sentinels() {
        assert_eq!(sentinel.cli(&account).await.text(), "OK");
    }
    let url = all.url() + "?sentinel_username=app&sentinel_password=geheim";
    let cache = process(&url).await;
    uses(&cache, &origin.source(), &all.servers()[0], 100).await;
    for sentinel in all.sentinels() {
        // Two of them are enough to begin with; the third may be asked later.
        eventually::holds("every Sentinel is asked by the account", async || {
            let accounts = sentinel.cli(&["CLIENT", "LIST"]).await.text();
            accounts.contains("user=app")
        })
        .await;
    }
    let wrong = of_url(&url.replace("geheim", "falsch")).build().unwrap();
    ask(&wrong, &origin.source(), 7).await;
    says(&wrong, "WRONGPASS").await;
}

#[tokio::test]
async fn host_names_are_announced_and_followed() {
    let settings = Settings {
        host_names: true,
        ..Settings::default()
    };
    let (all, origin) = (settings.start().await, Origin::start().await);
    let question = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", PRIMARY];
    let named = all.sentinels()[0].cli(&question).await.list();
    assert_eq!(named[0], "localhost");
    let cache = process(&all.url()).await;
    uses(&cache, &origin.source(), &all.servers()[0], 100).await;
    let new = all.fail_over().await;
    let took = uses(&cache, &origin.source(), new, 200).await;
    assert!(took < FOLLOWED, "{took:?}");
}

/// Which authorities are trusted is a matter of the process, so it is one of its own.
#[tokio::test]
async fn tls_is_spoken_with_sentinels_and_servers() {
    let settings = Settings {
        tls: true,
        ..Settings::default()
    };
    let all = settings.start().await;
    assert!(all.url().starts_with("rediss-sentinel://"));
    let authority = all.ca_file().expect("they speak TLS").to_owned();
    let fleet = Fleet::builder().env("SSL_CERT_FILE", authority).spawn(1);
    let fleet = fleet.await;
    let open = Open::at("cache", all.url());
    let opened = fleet.worker(0).ask("open", json!(open)).await;
    opened.expect("it connects");
    all.fail_over().await;
    // Down and up again are too near to each other to be looked at; the new primary knows who listens.
    eventually::holds("it listens at the new primary", async || {
        let new = all.primary().await;
        let listeners = new.cli(&["PUBSUB", "NUMSUB", "shop:#bus"]).await;
        listeners.list()[1] == "1"
    })
    .await;
    let told = fleet.worker(0).ask("health", json!("cache")).await.unwrap();
    assert!(told.to_string().contains("Redis: connected"), "{told}");
}

#[tokio::test]
async fn sentinel_that_hangs_or_is_gone_costs_little() {
    let (all, origin) = (Sentinels::start().await, Origin::start().await);
    let connect = async || {
        let started = Instant::now();
        let cache = connected(of_url(&all.url())).await;
        (started.elapsed(), cache)
    };
    let (well, _) = connect().await;
    all.sentinels()[0].stop();
    let (hanging, _) = connect().await;
    all.sentinels()[0].cont();
    all.sentinels()[0].kill();
    let (gone, _) = connect().await;
    // Nobody agrees with anybody any more: who answers is believed.
    all.sentinels()[1].stop();
    let (alone, cache) = connect().await;
    println!(
        "connected in {well:?}; one hangs: {hanging:?}; one gone: {gone:?}; one gone and one hangs: {alone:?}"
    );
    assert!(hanging < well + Duration::from_millis(900), "{hanging:?}");
    assert!(gone < well + Duration::from_millis(900), "{gone:?}");
    assert!(alone < FOLLOWED, "{alone:?}");
    uses(&cache, &origin.source(), &all.servers()[0], 100).await;
    all.sentinels()[1].cont();
}
