#![deny(warnings)]

use cache_runtime::cache_evict;
use std::time::Duration;

#[derive(Clone)]
struct Product {
    id: u64,
    tags: Vec<String>,
}

#[cache_evict("products:list:*")]
async fn positional() {}

#[cache_evict(pattern = ["products:{shop}:*", "shop[0-9]:{shop}:?"])]
async fn patterns(shop: String) {
    drop(shop);
}

#[cache_evict(key = ["product:{id}", "item:{id}"], keys = ["stock:{id}"], before, always, hold = "2s")]
async fn keys(id: u64) -> Result<(), String> {
    let _ = id;
    Ok(())
}

const HOLD: Duration = Duration::from_secs(1);

#[cache_evict(key = "product:{id}", hold = HOLD * 2)]
async fn hold(id: u64) -> Result<(), String> {
    let _ = id;
    Err("kept".to_owned())
}

#[cache_evict(all)]
async fn all() -> u64 {
    1
}

#[cache_evict(key = "product:{result.id}:{name}", pattern = "tag:{result.tags.len()}:*")]
async fn result(name: String) -> Result<Product, String> {
    Ok(Product { id: name.len() as u64, tags: vec![name] })
}

#[cache_evict(key = "maybe:{result.as_ref().map(|product| product.id)}")]
async fn maybe() -> Option<Product> {
    None
}

#[cache_evict(key = "product:{id}")]
#[cache_evict(key = "item:{id}", pattern = "products:{result}:*", before)]
#[cache_evict(all, condition = id > 100)]
async fn stacked(id: u64) -> u64 {
    id
}

#[cache_evict(key = "product:{id}")]
async fn opaque(id: u64) -> impl Iterator<Item = u64> {
    [id].into_iter()
}

#[cache_evict(key = "product:{id}")]
async fn borrowed(id: &u64) -> &u64 {
    id
}

#[cache_evict(key = "product:{result}")]
async fn not_cacheable(id: u64) -> Result<u64, std::rc::Rc<u64>> {
    Ok(id)
}

#[tokio::main]
async fn main() {
    positional().await;
    patterns("a".to_owned()).await;
    assert!(keys(1).await.is_ok() && hold(1).await.is_err());
    assert_eq!(all().await, 1);
    let product = result("abc".to_owned()).await.unwrap();
    assert_eq!((product.id, product.tags.len()), (3, 1));
    assert!(maybe().await.is_none());
    assert_eq!(stacked(1).await, 1);
    assert_eq!(opaque(1).await.next(), Some(1));
    assert_eq!(*borrowed(&1).await, 1);
    assert_eq!(not_cacheable(1).await, Ok(1));
}
