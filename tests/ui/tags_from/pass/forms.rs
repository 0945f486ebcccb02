#![deny(warnings)]

use cache_runtime::{cache_put, cacheable};

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Product {
    owners: Vec<String>,
}

impl Product {
    fn tags(&self) -> Vec<String> {
        self.owners.clone()
    }

    #[cacheable(key = "associated", tags_from = Self::tags)]
    async fn associated() -> Self {
        product()
    }
}

fn product() -> Product {
    Product { owners: vec!["a".to_owned()] }
}

#[cacheable(tags_from = Product::tags)]
async fn path(id: u64) -> Result<Product, std::fmt::Error> {
    let _ = id;
    Ok(product())
}

#[cacheable(key = "many", tags = ["shop", "owner:{result[0].owners[0]}"], tags_from = |products| products.iter().flat_map(Product::tags).collect())]
async fn closure() -> Vec<Product> {
    vec![product()]
}

#[cacheable(key = "maybe:{id}", negative_ttl = 5, tags_from = |value| value.as_ref().map_or_else(Vec::new, Product::tags))]
async fn of_an_option(id: u64) -> Option<Product> {
    (id > 0).then(product)
}

#[cache_put(key = "product:{id}", tags_from = Product::tags, unless = |value| value.owners.is_empty())]
async fn put(id: u64) -> Product {
    let _ = id;
    product()
}

#[tokio::main]
async fn main() {
    assert_eq!(Product::associated().await.owners.len(), 1);
    assert_eq!(path(1).await.unwrap().owners.len(), 1);
    assert_eq!(closure().await.len(), 1);
    assert!(of_an_option(0).await.is_none());
    assert_eq!(put(1).await.owners.len(), 1);
}
