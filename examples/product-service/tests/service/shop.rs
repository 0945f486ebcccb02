//! The use cases, on both databases.

use futures_util::future::join_all;
use product_service::db::Db;
use serde_json::{Value, json};
use sqlx::Executor;
use tests::eventually;
use tests::postgres::Postgres;

use crate::kit::{Client, Instance, Settings};

pub(crate) fn tent() -> Value {
    json!({ "name": "Quiet tent", "description": "Sleeps two.", "category": "outdoor", "price_cents": 12_900 })
}

#[tokio::test]
async fn use_cases_on_sqlite() {
    use_cases(&Settings::new().start()).await;
}

#[tokio::test]
async fn use_cases_on_postgres() {
    let postgres = Postgres::start().await;
    use_cases(
        &Settings::new()
            .with("DATABASE_URL", &postgres.url())
            .start(),
    )
    .await;
}

async fn use_cases(shop: &Instance) {
    let client = shop.client();
    created_product_is_read_changed_and_deleted(&client, shop).await;
    lists_are_filtered_sorted_and_paged(&client).await;
    lists_show_what_changed(&client).await;
    what_breaks_a_rule_is_refused(&client).await;
    wishlist_is_of_its_user(&client).await;
    wishlist_has_an_end(&client).await;
}

async fn created_product_is_read_changed_and_deleted(client: &Client, shop: &Instance) {
    let created = client.post("/api/products", &tent()).await;
    let place = created.header("location").to_owned();
    assert_eq!(created.header("etag"), "\"1\"");
    let created = created.expect(201);
    assert_eq!(
        place,
        format!(
            "/api/products/{}",
            created["id"].as_str().expect("it has one")
        )
    );
    let found = shop.queries("find").await;
    assert_eq!(client.get(&place).await.expect(200), created);
    assert_eq!(
        shop.queries("find").await,
        found,
        "the creation has written it into the cache"
    );

    let mut change = tent();
    change["price_cents"] = json!(9_900);
    change["version"] = json!(1);
    let changed = client.put(&place, &change).await;
    assert_eq!(changed.header("etag"), "\"2\"");
    assert_eq!(changed.expect(200)["price_cents"], 9_900);
    assert_eq!(client.get(&place).await.expect(200)["price_cents"], 9_900);
    let conflict = client.put(&place, &change).await;
    assert_eq!(conflict.header("content-type"), "application/problem+json");
    assert!(
        conflict.expect(409)["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("version 2"))
    );

    client.delete(&place).await.expect(204);
    client.get(&place).await.expect(404);
    client.delete(&place).await.expect(404);
    client.put(&place, &change).await.expect(404);
}

async fn lists_are_filtered_sorted_and_paged(client: &Client) {
    let list = client.get("/api/products").await.expect(200);
    assert_eq!(
        (&list["total"], &list["page"], &list["size"]),
        (&json!(3_000), &json!(1), &json!(20))
    );
    let newest: Vec<_> = items(&list)
        .iter()
        .map(|item| item["id"].to_string())
        .collect();
    assert!(newest.is_sorted_by(|one, next| one > next), "{newest:?}");

    let query = "category=outdoor&min_price=5000&max_price=15000&text=TENT";
    let mut seen = Vec::new();
    for page in 1.. {
        let list = client
            .get(&format!(
                "/api/products?{query}&sort=cheapest&size=7&page={page}"
            ))
            .await
            .expect(200);
        if items(&list).is_empty() {
            assert_eq!(list["total"], seen.len(), "also beyond the last page");
            break;
        }
        assert_eq!(
            items(&list).len(),
            7.min(list["total"].as_u64().expect("a number") as usize - seen.len())
        );
        seen.extend(items(&list).iter().cloned());
    }
    assert!(seen.len() > 7, "{}", seen.len());
    let prices: Vec<i64> = seen
        .iter()
        .filter_map(|item| item["price_cents"].as_i64())
        .collect();
    assert!(
        prices.is_sorted() && prices[0] >= 5_000 && *prices.last().expect("some") <= 15_000,
        "{prices:?}"
    );
    for item in &seen {
        assert_eq!(item["category"], "outdoor");
        assert!(
            item["name"]
                .as_str()
                .is_some_and(|name| name.contains("tent")),
            "{item}"
        );
    }
    let mut dearest = client
        .get(&format!("/api/products?{query}&sort=dearest&size=100"))
        .await
        .expect(200);
    let dearest = dearest["items"].as_array_mut().expect("a list");
    dearest.sort_by_key(|item| (item["price_cents"].as_i64(), item["id"].to_string()));
    assert_eq!(*dearest, seen);
    assert_eq!(
        client.get("/api/products?text=100%25").await.expect(200)["total"],
        0,
        "`%` is a character"
    );
}

async fn lists_show_what_changed(client: &Client) {
    let total = async |query: &str| {
        let list = client
            .get(&format!("/api/products?{query}"))
            .await
            .expect(200);
        list["total"].as_i64().expect("a number")
    };
    let (all, outdoor, garden) = (
        total("").await,
        total("category=outdoor").await,
        total("category=garden").await,
    );
    let place = client
        .post("/api/products", &tent())
        .await
        .header("location")
        .to_owned();
    assert_eq!(total("").await, all + 1);
    assert_eq!(total("category=outdoor").await, outdoor + 1);
    let mut change = tent();
    change["category"] = json!("garden");
    change["version"] = json!(1);
    client.put(&place, &change).await.expect(200);
    assert_eq!(
        total("category=outdoor").await,
        outdoor,
        "it has left the old shelf"
    );
    assert_eq!(total("category=garden").await, garden + 1);
    client.delete(&place).await.expect(204);
    assert_eq!(
        (total("").await, total("category=garden").await),
        (all, garden)
    );
}

async fn what_breaks_a_rule_is_refused(client: &Client) {
    for (path, status) in [
        ("/api/products?page=0", 422),
        ("/api/products?page=1001", 422),
        ("/api/products?size=101", 422),
        ("/api/products?min_price=9&max_price=8", 422),
        ("/api/products?text=a%00b", 422),
        ("/api/products?page=many", 400),
        ("/api/products?prise=3", 400),
        ("/api/products/7", 400),
        ("/api/products/00000000-0000-7000-8000-000000000000", 404),
        ("/nowhere", 404),
    ] {
        let answer = client.get(path).await;
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path}"
        );
        let problem = answer.expect(status);
        assert_eq!(problem["status"], status, "{path}");
    }
    let broken = json!({ "name": "", "category": "Out door", "price_cents": -1 });
    let problem = client.post("/api/products", &broken).await.expect(422);
    let fields: Vec<_> = problem["errors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|error| &error["field"])
        .collect();
    assert_eq!(fields, ["name", "category", "price_cents"]);
    client
        .post("/api/products", &json!({ "name": "no price" }))
        .await
        .expect(422);
    let post = hyper::Method::POST;
    client
        .send(post.clone(), "/api/products", Some("{".to_owned()))
        .await
        .expect(400);
    client
        .send(post.clone(), "/api/products", None)
        .await
        .expect(415);
    let huge = json!({ "name": "x".repeat(70_000) }).to_string();
    client
        .send(post, "/api/products", Some(huge))
        .await
        .expect(413);
    client
        .send(hyper::Method::PATCH, "/api/products", None)
        .await
        .expect(405);
}

async fn wishlist_is_of_its_user(ada: &Client) {
    let grace = ada.another();
    ada.get("/api/wishlist").await.expect(401);
    ada.log_in("ada").await;
    grace.log_in("grace").await;
    let list = ada.get("/api/products?size=2").await.expect(200);
    let wish = |item: &Value| format!("/api/wishlist/{}", item["id"].as_str().expect("it has one"));
    let (first, second) = (&items(&list)[0], &items(&list)[1]);
    assert_eq!(ada.get("/api/wishlist").await.expect(200), json!([]));
    assert_eq!(
        ada.post(&wish(first), &json!({})).await.expect(200),
        json!({ "wished": true })
    );
    assert_eq!(ada.get("/api/wishlist").await.expect(200), json!([first]));
    ada.post(&wish(second), &json!({})).await.expect(200);
    assert_eq!(items_of(&ada.get("/api/wishlist").await.expect(200)), 2);
    assert_eq!(grace.get("/api/wishlist").await.expect(200), json!([]));
    assert_eq!(
        ada.post(&wish(first), &json!({})).await.expect(200),
        json!({ "wished": false })
    );
    assert_eq!(ada.get("/api/wishlist").await.expect(200), json!([second]));
    ada.post(
        "/api/wishlist/00000000-0000-7000-8000-000000000000",
        &json!({}),
    )
    .await
    .expect(404);

    // What is deleted leaves the lists of those who wished for it.
    let place = ada
        .post("/api/products", &tent())
        .await
        .header("location")
        .to_owned();
    let id = place.replace("/api/products/", "");
    grace
        .post(&format!("/api/wishlist/{id}"), &json!({}))
        .await
        .expect(200);
    assert_eq!(items_of(&grace.get("/api/wishlist").await.expect(200)), 1);
    ada.delete(&place).await.expect(204);
    assert_eq!(grace.get("/api/wishlist").await.expect(200), json!([]));
}

/// The last place is given once, however many want it, and nothing is cut off silently.
async fn wishlist_has_an_end(client: &Client) {
    let linus = client.another();
    linus.log_in("linus").await;
    let mut places = Vec::new();
    for page in 1..=3 {
        let list = client
            .get(&format!("/api/products?size=100&page={page}"))
            .await
            .expect(200);
        let ids = items(&list).iter().filter_map(|item| item["id"].as_str());
        places.extend(ids.map(|id| format!("/api/wishlist/{id}")));
    }
    let toggle = async |place: &String| linus.post(place, &json!({})).await;
    for place in &places[..199] {
        toggle(place).await.expect(200);
    }
    let at_once = join_all(places[199..209].iter().map(toggle)).await;
    let put_on = at_once.iter().filter(|answer| answer.status == 200);
    assert_eq!(put_on.count(), 1, "{at_once:?}");
    let wished = async || items_of(&linus.get("/api/wishlist").await.expect(200));
    assert_eq!(wished().await, 200);
    let refused = toggle(&places[209]).await;
    assert_eq!(refused.header("content-type"), "application/problem+json");
    let problem = refused.expect(409);
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("200")),
        "{problem}"
    );
    assert_eq!(toggle(&places[0]).await.expect(200)["wished"], false);
    assert_eq!(toggle(&places[209]).await.expect(200)["wished"], true);
    assert_eq!(wished().await, 200);
}

/// The product is there when the wish begins, and gone when it is written.
#[tokio::test]
async fn wish_for_what_is_deleted_meanwhile_is_not_found() {
    let postgres = Postgres::start().await;
    let shop = Settings::new()
        .with("DATABASE_URL", &postgres.url())
        .start();
    let ada = shop.client();
    ada.log_in("ada").await;
    let place = ada
        .post("/api/products", &tent())
        .await
        .header("location")
        .to_owned();
    let id = place.replace("/api/products/", "");
    let (db, _) = Db::open(&postgres.url()).await.expect("it is there");
    let mut deletion = db.pool().begin().await.expect("it answers");
    sqlx::query("DELETE FROM products WHERE id = $1")
        .bind(&id)
        .execute(&mut *deletion)
        .await
        .expect("it is there");
    let wish = {
        let (ada, path) = (ada.clone(), format!("/api/wishlist/{id}"));
        tokio::spawn(async move { ada.post(&path, &json!({})).await })
    };
    eventually::holds("the wish waits for the deletion", async || {
        let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        let waiting = sqlx::query_scalar::<_, i64>(waiting).fetch_one(db.pool());
        waiting.await.expect("it answers") == 1
    })
    .await;
    deletion.commit().await.expect("it answers");
    wish.await.expect("it does not panic").expect(404);
    ada.post(&format!("/api/wishlist/{id}"), &json!({}))
        .await
        .expect(404);
    assert_eq!(ada.get("/api/wishlist").await.expect(200), json!([]));
}

/// A statement that never ends takes no connection with it: the client may be gone, and then nobody else would cancel it.
#[tokio::test]
async fn statement_has_an_end() {
    let postgres = Postgres::start().await;
    let shop = Settings::new()
        .with("DATABASE_URL", &postgres.url())
        .start();
    let (db, _) = Db::open(&postgres.url()).await.expect("it is there");
    let mut lock = db.pool().begin().await.expect("it answers");
    lock.execute("LOCK TABLE products IN ACCESS EXCLUSIVE MODE")
        .await
        .expect("it answers");
    let refused = shop.client().get("/api/products").await.expect(503);
    assert_eq!(
        refused["detail"], "the database is busy",
        "by PostgreSQL, not by the timeout of the request"
    );
    lock.rollback().await.expect("it answers");
    shop.client().get("/api/products").await.expect(200);
}

pub(crate) fn items(list: &Value) -> &[Value] {
    list["items"].as_array().expect("a page has items")
}

fn items_of(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}
