//! Evictions by what a function returned: where there is no result, everything it could have been is evicted.

use cache_runtime::{Cache, cache_evict, cache_put};
use serde::{Deserialize, Serialize, Serializer};
use tests::caches::in_memory;
use tests::entries::{fill, leaves, left};

#[derive(Clone)]
struct Product {
    id: u64,
    names: Vec<&'static str>,
}

#[cache_evict(key = "product:{result.id}", pattern = "name:{result.names.len()}:*")]
async fn by_result(id: u64) -> Result<Product, String> {
    Ok(Product {
        id,
        names: vec!["a", "b"],
    })
}

#[cache_evict(key = "product:{result.id}", always)]
async fn by_result_of_an_error() -> Result<Product, String> {
    Err("there is no result".to_owned())
}

#[tokio::test]
async fn templates_may_use_the_result() {
    let keys = ["product:7", "product:8", "name:2:a", "name:1:a"];
    assert_eq!(leaves(&keys, by_result(7)).await, ["name:1:a", "product:8"]);
}

#[tokio::test]
async fn without_a_result_its_place_in_a_template_is_a_star() {
    let keys = ["product:7", "product:8", "list"];
    assert_eq!(leaves(&keys, by_result_of_an_error()).await, ["list"]);
    // The same where the body never came to a result: its future is dropped.
    let cache = in_memory();
    fill(&cache, &keys).await;
    cache
        .as_current(async { drop_after_first_poll(by_result_late()).await })
        .await;
    assert_eq!(
        left(&cache, &keys).await.into_iter().collect::<Vec<_>>(),
        ["list"]
    );
}

#[cache_evict(key = "product:{result.id}")]
async fn by_result_late() -> Product {
    std::future::pending().await
}

#[cache_evict(region = "user:{result.id}:orders", always)]
async fn orders_by_result(ok: bool) -> Result<Product, String> {
    if !ok {
        return Err("there is no result".to_owned());
    }
    Ok(Product {
        id: 7,
        names: Vec::new(),
    })
}

#[cache_evict(region = "user:{result.id}:orders")]
async fn orders_by_result_late() -> Product {
    std::future::pending().await
}

#[cache_evict(region = "user:{result.id}:orders")]
async fn orders_by_panicking() -> Product {
    panic!("on purpose")
}

#[tokio::test]
async fn a_region_without_its_result_is_every_region_it_could_be() {
    let keys = [
        "user:7:orders",
        "user:7:orders:1",
        "user:8:orders:2:lines",
        "user:7:ordersets",
        "user:7",
    ];
    let others = ["user:7", "user:7:ordersets"];
    let known = ["user:7", "user:7:ordersets", "user:8:orders:2:lines"];
    assert_eq!(leaves(&keys, orders_by_result(true)).await, known);
    assert_eq!(leaves(&keys, orders_by_result(false)).await, others);
    let dropped = drop_after_first_poll(orders_by_result_late());
    assert_eq!(leaves(&keys, dropped).await, others);
    let cache = in_memory();
    fill(&cache, &keys).await;
    panics(&cache, orders_by_panicking()).await;
    assert_eq!(
        left(&cache, &keys).await.into_iter().collect::<Vec<_>>(),
        others
    );
}

#[cache_evict(region = "user:{result.id}", always)]
async fn user_by_result() -> Result<Product, String> {
    Err("there is no result".to_owned())
}

#[tokio::test]
async fn a_region_that_ends_with_its_result_is_the_region_around_it() {
    let keys = ["user:7", "user:7:orders:1", "users:7"];
    assert_eq!(leaves(&keys, user_by_result()).await, ["users:7"]);
}

async fn drop_after_first_poll<T>(future: impl Future<Output = T>) {
    let mut future = Box::pin(future);
    assert!(
        std::future::poll_fn(|context| std::task::Poll::Ready(
            future.as_mut().poll(context).is_pending()
        ))
        .await
    );
}

/// A result whose own code panics while the template is rendered.
#[derive(Clone, Deserialize)]
struct Panicking;

impl Serialize for Panicking {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("on purpose")
    }
}

#[cache_evict(key = "product:{result}")]
async fn evict_by_panicking() -> Panicking {
    Panicking
}

#[cache_put(key = "product:{result}")]
async fn put_by_panicking() -> Panicking {
    Panicking
}

async fn panics<T: Send + 'static>(cache: &Cache, call: impl Future<Output = T> + Send + 'static) {
    let current = cache.clone();
    let task = tokio::spawn(async move { current.as_current(call).await });
    assert!(task.await.is_err_and(|error| error.is_panic()));
}

#[tokio::test]
async fn a_result_that_panics_while_it_is_rendered_is_a_star_as_well() {
    let keys = ["product:7", "product:8", "list"];
    for puts in [false, true] {
        let cache = in_memory();
        fill(&cache, &keys).await;
        if puts {
            panics(&cache, put_by_panicking()).await;
        } else {
            panics(&cache, evict_by_panicking()).await;
        }
        assert_eq!(
            left(&cache, &keys).await.into_iter().collect::<Vec<_>>(),
            ["list"],
            "puts: {puts}"
        );
    }
}
