//! How an instance begins and ends.

use futures_util::future::join_all;
use hyper::StatusCode;
use serde_json::json;
use tests::eventually::PATIENCE;
use tests::server::RedisServer;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::kit::Settings;
use crate::shop::tent;

#[tokio::test]
async fn first_run_creates_and_seeds_and_the_second_keeps() {
    let folder = tempfile::tempdir().expect("the temporary folder is writable");
    // A folder that is not there yet, as in a fresh checkout.
    let file = folder.path().join("data/shop.db");
    let settings = Settings::new().with("DATABASE_URL", &format!("sqlite://{}", file.display()));
    let place = {
        let instance = settings.start();
        assert!(file.exists());
        let client = instance.client();
        assert_eq!(
            client.get("/api/products").await.expect(200)["total"],
            3_000
        );
        client
            .post("/api/products", &tent())
            .await
            .header("location")
            .to_owned()
    };
    // Killed, not told to end; what was answered is there all the same.
    let client = settings.start().client();
    drop(client);
    let instance = settings.start();
    assert_eq!(
        instance.client().get("/api/products").await.expect(200)["total"],
        3_001
    );
    instance.client().get(&place).await.expect(200);
}

#[tokio::test]
async fn without_any_variable_the_database_is_a_file_beside_it() {
    let instance = Settings::default().with("PORT", "0").start();
    instance.client().get("/api/products").await.expect(200);
    assert!(instance.file("data/shop.db").exists());
    assert!(
        instance.log().contains("ADMIN_TOKEN is not set"),
        "{}",
        instance.log()
    );
}

#[tokio::test]
async fn instance_that_is_told_to_end_finishes_what_it_has_begun() {
    let mut instance = Settings::new().start();
    let client = instance.client();
    let body = tent().to_string();
    let head = format!(
        "POST /api/products HTTP/1.1\r\nhost: shop\r\nconnection: close\r\nexpect: 100-continue\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let stream = TcpStream::connect(client.address()).await;
    let mut stream = BufReader::new(stream.expect("it listens"));
    stream.write_all(head.as_bytes()).await.expect("it is open");
    // Said when the handler begins to read the body.
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        let read = stream.read_line(&mut line).await.expect("it is text");
        assert!(read > 0, "it has hung up");
    }
    instance.terminate();
    tests::eventually::holds("it takes no more connections", async || {
        TcpStream::connect(client.address()).await.is_err()
    })
    .await;
    stream
        .write_all(body.as_bytes())
        .await
        .expect("it is still open");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("it is text");
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(instance.ended().await.success(), "{}", instance.log());
    assert!(instance.log().contains("ended"), "{}", instance.log());
}

/// Nor the next one, on a connection that has brought one.
#[tokio::test]
async fn head_of_a_request_that_does_not_come_ends_its_connection() {
    let instance = Settings::new().start();
    let begun = [
        "GET /healthz HTTP/1.1\r\nhost: sh",
        "GET /healthz HTTP/1.1\r\nhost: shop\r\n\r\nGET",
    ];
    let ends = begun.map(async |begun| {
        let stream = TcpStream::connect(instance.client().address()).await;
        let mut stream = stream.expect("it listens");
        stream
            .write_all(begun.as_bytes())
            .await
            .expect("it is open");
        let mut answer = String::new();
        let end = stream.read_to_string(&mut answer);
        let end = tokio::time::timeout(2 * PATIENCE, end).await;
        end.expect("it has an end").expect("it is text");
        answer
    });
    let answers = join_all(ends).await;
    assert!(!answers[0].contains("204"), "{answers:?}");
    assert!(answers[1].starts_with("HTTP/1.1 204 "), "{answers:?}");
}

#[tokio::test]
async fn instance_starts_while_redis_is_down_and_joins_when_it_is_there() {
    let redis = RedisServer::start().await;
    redis.kill();
    let instance = Settings::new().with("REDIS_URL", &redis.url()).start();
    instance.client().get("/api/products").await.expect(200);
    redis.restart().await;
    instance.connected().await;
    instance.client().get("/api/products").await.expect(200);
}

#[test]
fn variable_without_meaning_ends_the_start() {
    for (variable, value) in [
        ("PORT", "http"),
        ("REDIS_URL", "127.0.0.1:6379"),
        ("DATABASE_URL", "mysql://shop"),
    ] {
        let said = Settings::default().with(variable, value).refusal();
        assert!(said.contains(variable), "{said}");
    }
}

#[tokio::test]
async fn without_its_cache_it_is_the_same_service_and_asks_every_time() {
    let instance = Settings::new().with("CACHE", "off").start();
    let client = instance.client();
    for _ in 0..3 {
        client.get("/api/products?size=1").await.expect(200);
    }
    assert_eq!(instance.queries("search").await, 3);
    let place = client
        .post("/api/products", &tent())
        .await
        .header("location")
        .to_owned();
    let mut change = tent();
    change["version"] = json!(1);
    client.put(&place, &change).await.expect(200);
    assert_eq!(client.get(&place).await.status, StatusCode::OK);
}

/// A change whose client has left empties no lists but those it names.
#[tokio::test]
async fn client_that_leaves_in_the_middle_of_a_change_takes_little_with_it() {
    let instance = Settings::new().start();
    let client = instance.client();
    // Past the response, to the function behind it.
    let asking = client.clone().with("cache-control", "no-cache");
    let list = "/api/products?category=garden";
    asking.get(list).await.expect(200);
    let place = client
        .post("/api/products", &tent())
        .await
        .header("location")
        .to_owned();
    let before = instance.queries("search").await;
    asking.get(list).await.expect(200);
    assert_eq!(instance.queries("search").await, before, "it is kept");
    let mut change = tent();
    change["version"] = json!(1);
    let body = change.to_string();
    let request = format!(
        "PUT {place} HTTP/1.1\r\nhost: shop\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..20 {
        let mut stream = TcpStream::connect(client.address())
            .await
            .expect("it listens");
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it is open");
        drop(stream);
        asking.get(list).await.expect(200);
    }
    assert_eq!(
        instance.queries("search").await,
        before,
        "a list of another category is still kept"
    );
}
