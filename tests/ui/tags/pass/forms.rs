#![deny(warnings)]

use cache_runtime::{cache_evict, cache_put, cacheable};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Product {
    id: u64,
    owner: String,
}

fn product(id: u64) -> Product {
    Product { id, owner: format!("owner {id}") }
}

#[cacheable(key = "one:{id}", tags = "products")]
async fn one(id: u64) -> u64 {
    id
}

#[cacheable(tags = ["shop:{shop}", "owner:{result.owner}", "{result.owner}:{result.id}"])]
async fn of_the_value(id: u64, shop: &str) -> Result<Product, std::fmt::Error> {
    let _ = shop;
    Ok(product(id))
}

/// The body takes the arguments that the tags have read.
#[cacheable(key = "taken:{ids.len()}", tags = ["first:{ids[0]}", "last:{ids[ids.len() - 1]}"])]
async fn takes(ids: Vec<u64>) -> Vec<u64> {
    ids.into_iter().rev().collect()
}

/// What a closure calls `id` is not the argument.
#[cacheable(key = "all:{id}", tags = "highest:{result.iter().map(|id| id + 1).max()}")]
async fn closure(id: u64) -> Vec<u64> {
    vec![id]
}

#[cacheable(key = "maybe:{id}", tags = "owner:{result.as_ref().map(|product| product.owner.clone())}", negative_ttl = 5)]
async fn maybe(id: u64) -> Option<Product> {
    (id > 0).then(|| product(id))
}

#[cacheable(key = "session", tags = ["session:{token}", "length:{result}"], secret(token))]
async fn secret(token: &str) -> usize {
    token.len()
}

struct Shop<const N: usize> {
    name: String,
}

impl<const N: usize> Shop<N> {
    #[cacheable(key = "shop:{self.name}:{id}", tags = ["shop:{self.name}", "size:{N}"])]
    async fn product(&self, id: u64) -> Product {
        product(id)
    }
}

#[cacheable(key = "boxed:{id}", tags = ["id:{id}", "value:{result}"])]
fn boxed<'a>(id: &'a u64) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send + 'a>> {
    Box::pin(async move { *id })
}

#[cache_put(key = "one:{id}", tags = ["products", "owner:{result.owner}"])]
async fn put(id: u64) -> Product {
    product(id)
}

#[cache_put(key = "one:{result.id}", tags = ["products", "owner:{result.owner}"])]
async fn put_by_result(id: u64) -> Result<Product, std::fmt::Error> {
    Ok(product(id))
}

#[cache_evict(tags = "products")]
async fn evict() {}

#[cache_evict(tags = ["shop:{shop}", "owner:{result.owner}"], key = "one:{result.id}", before)]
async fn evict_by_result(shop: String) -> Product {
    product(shop.len() as u64)
}

#[cache_evict(tags = "session:{token}", secret(token))]
async fn log_out(token: String) {
    drop(token);
}

macro_rules! tagged {
    ($name:ident, $tag:literal) => {
        #[cacheable(key = "generated:{id}", tags = [$tag])]
        async fn $name(id: u64) -> u64 {
            id
        }
    };
}

tagged!(generated, "id:{id}");

#[tokio::main]
async fn main() {
    assert_eq!(one(1).await, 1);
    assert_eq!(of_the_value(1, "a").await.unwrap().id, 1);
    assert_eq!(takes(vec![1, 2]).await, [2, 1]);
    assert_eq!(closure(3).await, [3]);
    assert!(maybe(0).await.is_none());
    assert_eq!(secret("abc").await, 3);
    assert_eq!(Shop::<3> { name: "a".to_owned() }.product(4).await.id, 4);
    assert_eq!(boxed(&5).await, 5);
    assert_eq!(put(6).await.id, 6);
    assert_eq!(put_by_result(7).await.unwrap().id, 7);
    evict().await;
    assert_eq!(evict_by_result("abc".to_owned()).await.id, 3);
    log_out("abc".to_owned()).await;
    assert_eq!(generated(8).await, 8);
}
