//! What memory takes over from Redis: it is what one reader's type made of it, and no more.

use std::time::Duration;

use cache_runtime::testing::ModelRedis;
use cache_runtime::{Key, Served, cacheable, traced};
use serde::{Deserialize, Serialize};
use tests::model::process;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Product {
    name: String,
    description: Option<String>,
}

/// What a list shows of a product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Name {
    name: String,
}

#[cacheable(key = "product:{id}", ttl = "1h")]
async fn product(id: u64) -> Product {
    Product {
        name: format!("product {id}"),
        description: Some("long".to_owned()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_narrow_read_takes_nothing_from_a_wider_one() {
    let redis = ModelRedis::new();
    let (one, other) = (process(&redis), process(&redis));
    let whole = one.as_current(product(7)).await;
    let narrow = other.get::<Name>(&Key::new("product:7")).await.unwrap();
    assert_eq!(narrow.name, whole.name);
    assert_eq!(
        other.as_current(traced(product(7))).await,
        (whole, Some(Served::Redis)),
        "memory has a name, and a name is not a product"
    );
}

#[tokio::test(start_paused = true)]
async fn a_value_read_as_its_own_type_is_in_memory_after_one_read() {
    let redis = ModelRedis::new();
    let (one, other) = (process(&redis), process(&redis));
    other.ready(Duration::from_secs(1)).await.unwrap();
    let whole = one.as_current(product(7)).await;
    for served in [Served::Redis, Served::Memory] {
        assert_eq!(
            other.as_current(traced(product(7))).await,
            (whole.clone(), Some(served))
        );
    }
}
