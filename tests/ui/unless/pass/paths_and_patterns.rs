#![deny(warnings)]

use cache_runtime::cacheable;
use std::sync::Arc;
use std::time::Duration;

trait Life {
    fn life(&self) -> Duration;
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Product {
    id: u64,
}

impl Life for Product {
    fn life(&self) -> Duration {
        Duration::from_secs(self.id)
    }
}

impl Product {
    fn hidden(&self) -> bool {
        self.id == 0
    }

    #[cacheable(key = "a", ttl_from = <Product as Life>::life, unless = Self::hidden)]
    async fn qualified() -> Self {
        Self { id: 0 }
    }

    #[cacheable(key = "b", ttl_from = Life::life, unless = |Product { id }| *id == 0)]
    async fn taken_apart() -> Result<Self, std::io::Error> {
        Ok(Self { id: 0 })
    }

    #[cacheable(key = "c", unless = move |value| -> bool { if value.id == 3 { return true; } value.hidden() })]
    async fn returns(self: &Arc<Self>) -> Product {
        Product { id: self.id }
    }

    #[cacheable(key = "d:{N}", unless = |value| value.len() == N)]
    async fn constant<const N: usize>() -> Vec<u64> {
        vec![0; N]
    }
}

#[cacheable(key = "e", negative_ttl = 1, unless = Option::is_none, ttl_from = |v| v.as_ref().map_or(Duration::ZERO, Life::life))]
async fn of_an_option() -> Option<Product> {
    None
}

#[tokio::main]
async fn main() {
    let product = Arc::new(Product::qualified().await);
    assert_eq!(Product::taken_apart().await.unwrap().id + product.returns().await.id, 0);
    assert_eq!(Product::constant::<2>().await, [0, 0]);
    assert!(of_an_option().await.is_none());
}
