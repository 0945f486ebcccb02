#![deny(warnings)]

use cache_runtime::{cacheable, key};

macro_rules! cached {
    ($name:ident, $key:literal, $ttl:expr, $argument:ident) => {
        #[cacheable(key = $key, ttl = $ttl)]
        async fn $name($argument: u64, own: u64) -> u64 {
            $argument + own
        }
    };
}

cached!(product, "product:{id}:{own}", 60, id);
cached!(stock, "stock:{sku}:{own}", "10m", sku);

macro_rules! key_of {
    ($template:literal) => {
        key!($template)
    };
}

#[tokio::main]
async fn main() {
    assert_eq!(product(1, 2).await, 3);
    assert_eq!(stock(3, 4).await, 7);
    let id = 5;
    let _ = key_of!("product:{id}");
}
