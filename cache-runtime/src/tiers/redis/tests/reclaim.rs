//! Freeing what is dead leaves what is not ours.

use super::*;

#[tokio::test]
async fn what_is_not_ours_stays() {
    let server = Server::start();
    let tier = tier(&server);
    fill(&tier, "list:1").await;
    server.ask(&["SET", "shop:{list:4}", "short"]);
    server.ask(&["SADD", "shop:{list:5}", "another type"]);
    let all = |_: &str, _: &Bytes| true;
    assert_eq!(tier.reclaim("list", &all, SOON).await.unwrap(), 1);
    assert_eq!(
        server.ask(&["EXISTS", "shop:{list:4}", "shop:{list:5}"]),
        ":2\r\n"
    );
}

#[tokio::test]
async fn many_are_freed_batch_by_batch() {
    let server = Server::start();
    let tier = tier(&server);
    let value = "x".repeat(20);
    let mut words = vec!["MSET".to_owned()];
    for n in 0..5000 {
        words.extend([format!("shop:{{a:{n}}}"), value.clone()]);
    }
    server.ask(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let even = |key: &str, _: &Bytes| key.ends_with(['0', '2', '4', '6', '8']);
    assert_eq!(tier.reclaim("a", &even, SOON).await.unwrap(), 2500);
    assert_eq!(server.ask(&["DBSIZE"]), ":2500\r\n");
}
