//! Two instances of the service, over one Redis and one database.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tests::eventually;
use tests::postgres::Postgres;
use tests::server::RedisServer;

use crate::kit::{Client, Instance, Settings};
use crate::shop::{items, tent};

/// Both databases; each is gone with its value.
pub(crate) enum Database {
    Postgres(Postgres),
    Sqlite(tempfile::TempDir),
}

impl Database {
    pub(crate) fn url(&self) -> String {
        match self {
            Database::Postgres(server) => server.url(),
            Database::Sqlite(folder) => format!("sqlite://{}/shop.db", folder.path().display()),
        }
    }

    pub(crate) async fn postgres() -> Database {
        Database::Postgres(Postgres::start().await)
    }

    pub(crate) fn sqlite() -> Database {
        Database::Sqlite(tempfile::tempdir().expect("the temporary folder is writable"))
    }
}

pub(crate) struct Fleet {
    pub(crate) redis: RedisServer,
    instances: [Instance; 2],
    _database: Database,
}

impl Fleet {
    /// Both begin at the same time, over an empty database: one of them fills it.
    pub(crate) async fn start(database: Database) -> Fleet {
        // Who waits too long for Redis asks the database, which is right, and on a machine with much to do no mistake.
        Fleet::with(database, &Settings::new().with("REDIS_BUDGET_MS", "10000")).await
    }

    pub(crate) async fn with(database: Database, settings: &Settings) -> Fleet {
        let redis = RedisServer::start().await;
        let settings = settings
            .clone()
            .with("REDIS_URL", &redis.url())
            .with("DATABASE_URL", &database.url());
        let start = || {
            let settings = settings.clone();
            tokio::task::spawn_blocking(move || settings.start())
        };
        let (one, other) = (start(), start());
        let instances = [
            one.await.expect("it starts"),
            other.await.expect("it starts"),
        ];
        for instance in &instances {
            instance.connected().await;
        }
        Fleet {
            redis,
            instances,
            _database: database,
        }
    }

    pub(crate) fn clients(&self) -> [Client; 2] {
        self.instances.each_ref().map(Instance::client)
    }

    async fn queries(&self, kind: &str) -> u64 {
        self.instances[0].queries(kind).await + self.instances[1].queries(kind).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fleet_on_postgres() {
    of_one_mind(&Fleet::start(Database::postgres().await).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fleet_on_sqlite() {
    of_one_mind(&Fleet::start(Database::sqlite()).await).await;
}

async fn of_one_mind(fleet: &Fleet) {
    let total = fleet.clients()[0].get("/api/products").await.expect(200)["total"].clone();
    assert_eq!(total, 3_000, "one of them has filled it, and only one");
    let log = fleet.instances[0].log();
    assert!(
        log.contains("maxmemory-unset"),
        "what could be set up better is said at the start: {log}"
    );
    update_through_one_is_seen_by_the_other(fleet).await;
    hundred_parallel_cold_lists_are_one_query(fleet).await;
}

async fn update_through_one_is_seen_by_the_other(fleet: &Fleet) {
    let [one, other] = fleet.clients();
    let place = one
        .post("/api/products", &tent())
        .await
        .header("location")
        .to_owned();
    let found = fleet.queries("find").await;
    assert_eq!(other.get(&place).await.expect(200)["version"], 1);
    assert_eq!(
        fleet.queries("find").await,
        found,
        "the other finds in Redis what the first has written there"
    );

    for version in 1..6 {
        let mut change = tent();
        change["version"] = json!(version);
        change["name"] = json!(format!("Tent of version {}", version + 1));
        let (from, to) = if version % 2 == 0 {
            (&one, &other)
        } else {
            (&other, &one)
        };
        // Both have it in memory, the product and a list with it.
        let list = format!("/api/products?text=tent+of+version+{}", version + 1);
        for client in [from, to] {
            client.get(&place).await.expect(200);
            assert_eq!(client.get(&list).await.expect(200)["total"], 0);
        }
        from.put(&place, &change).await.expect(200);
        assert_eq!(
            from.get(&place).await.expect(200)["version"],
            version + 1,
            "its own, at once"
        );
        assert_eq!(from.get(&list).await.expect(200)["total"], 1);
        eventually::holds("the other sees the change", async || {
            to.get(&place).await.expect(200)["version"] == version + 1
                && to.get(&list).await.expect(200)["total"] == 1
        })
        .await;
    }
    one.delete(&place).await.expect(204);
    eventually::holds("the other sees that it is gone", async || {
        other.get(&place).await.status == 404
    })
    .await;
}

async fn hundred_parallel_cold_lists_are_one_query(fleet: &Fleet) {
    let clients = fleet.clients();
    for query in [
        "category=lamps&sort=dearest",
        "text=oak&min_price=100&page=2",
    ] {
        let before = fleet.queries("search").await;
        let path = format!("/api/products?{query}");
        let answers = join_all((0..100).map(|caller| clients[caller % 2].get(&path))).await;
        let bodies: Vec<_> = answers
            .into_iter()
            .map(|answer| answer.expect(200))
            .collect();
        assert!(bodies.iter().all(|body| *body == bodies[0]));
        assert_eq!(items(&bodies[0]).len(), 20);
        assert_eq!(fleet.queries("search").await - before, 1, "{query}");
    }
}

/// What a client does in a round: every route, with the status it is to have whether there is a Redis or not.
async fn round(client: &Client) -> Vec<(&'static str, u16)> {
    let mut seen = Vec::new();
    let mut note = |what, status: hyper::StatusCode| seen.push((what, status.as_u16()));
    note("list", client.get("/api/products?size=3").await.status);
    note(
        "search",
        client.get("/api/products?text=oak&sort=name").await.status,
    );
    note(
        "bad search",
        client.get("/api/products?size=0").await.status,
    );
    let created = client.post("/api/products", &tent()).await;
    note("create", created.status);
    let place = created.header("location").to_owned();
    note("read", client.get(&place).await.status);
    let mut change = tent();
    change["version"] = json!(1);
    note("update", client.put(&place, &change).await.status);
    note("stale update", client.put(&place, &change).await.status);
    note("me", client.get("/api/me").await.status);
    note("sessions", client.get("/api/sessions").await.status);
    note(
        "wish",
        client
            .post(&place.replace("products", "wishlist"), &json!({}))
            .await
            .status,
    );
    note("wishlist", client.get("/api/wishlist").await.status);
    note("delete", client.delete(&place).await.status);
    note("read what is gone", client.get(&place).await.status);
    note(
        "nobody's wishlist",
        client.another().get("/api/wishlist").await.status,
    );
    let visitor = client.another();
    let wrong = json!({ "name": "grace", "password": "ada-demo" });
    let right = json!({ "name": "grace", "password": "grace-demo" });
    note("login", visitor.post("/api/login", &right).await.status);
    note(
        "wrong password",
        visitor.another().post("/api/login", &wrong).await.status,
    );
    note(
        "logout",
        visitor.post("/api/logout", &json!({})).await.status,
    );
    note("alive", client.get("/healthz").await.status);
    note("ready", client.get("/readyz").await.status);
    note("metrics", client.get("/metrics").await.status);
    note("docs", client.get("/docs/openapi.json").await.status);
    seen
}

const ALWAYS: [(&str, u16); 21] = [
    ("list", 200),
    ("search", 200),
    ("bad search", 422),
    ("create", 201),
    ("read", 200),
    ("update", 200),
    ("stale update", 409),
    ("me", 200),
    ("sessions", 200),
    ("wish", 200),
    ("wishlist", 200),
    ("delete", 204),
    ("read what is gone", 404),
    ("nobody's wishlist", 401),
    ("login", 200),
    ("wrong password", 401),
    ("logout", 204),
    ("alive", 204),
    ("ready", 200),
    ("metrics", 200),
    ("docs", 200),
];

#[tokio::test(flavor = "multi_thread")]
async fn killing_redis_changes_no_status() {
    let fleet = Fleet::with(Database::sqlite(), &Settings::new()).await;
    let [one, other] = fleet.clients();
    one.log_in("ada").await;
    let browsers = [one.clone(), one.at(&other)];
    for browser in &browsers {
        assert_eq!(round(browser).await, ALWAYS, "before");
    }
    // Sessions are in Redis alone: it has to keep its data, as it would be told to where they matter.
    assert_eq!(fleet.redis.cli(&["SAVE"]).await.text(), "OK");
    let over = AtomicBool::new(false);
    let crowd = browsers.iter().map(|browser| async {
        let mut rounds = 0;
        while !over.load(Ordering::Relaxed) {
            assert_eq!(round(browser).await, ALWAYS, "round {rounds}");
            rounds += 1;
        }
        rounds
    });
    let outage = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        fleet.redis.kill();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        fleet.redis.restart().await;
        for instance in &fleet.instances {
            instance.connected().await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        over.store(true, Ordering::Relaxed);
    };
    let (rounds, ()) = tokio::join!(join_all(crowd), outage);
    assert!(rounds.iter().all(|rounds| *rounds >= 3), "{rounds:?}");
    update_through_one_is_seen_by_the_other(&fleet).await;
}
