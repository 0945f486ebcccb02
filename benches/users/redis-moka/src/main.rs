//! A function cached in memory and in Redis by hand: what one would write without a framework.

use moka::future::Cache;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Product {
    id: u64,
    name: String,
}

struct Products {
    memory: Cache<u64, Product>,
    redis: MultiplexedConnection,
}

impl Products {
    async fn product(&self, id: u64) -> Result<Product, String> {
        let shared = async {
            let (mut redis, key) = (self.redis.clone(), format!("product:{id}"));
            let held: Option<Vec<u8>> = redis.get(&key).await.map_err(|error| error.to_string())?;
            if let Some(held) = held {
                return serde_json::from_slice(&held).map_err(|error| error.to_string());
            }
            let product = load(id).await?;
            let text = serde_json::to_vec(&product).map_err(|error| error.to_string())?;
            let () = redis
                .set_ex(&key, text, 600)
                .await
                .map_err(|error| error.to_string())?;
            Ok(product)
        };
        self.memory
            .try_get_with(id, shared)
            .await
            .map_err(|error: std::sync::Arc<String>| error.to_string())
    }
}

async fn load(id: u64) -> Result<Product, String> {
    Ok(Product {
        id,
        name: format!("Product {id}"),
    })
}

#[tokio::main]
async fn main() {
    let client = redis::Client::open("redis://127.0.0.1:6379").expect("the URL is right");
    let redis = client
        .get_multiplexed_async_connection()
        .await
        .expect("it is there");
    let memory = Cache::builder()
        .max_capacity(10_000)
        .time_to_live(Duration::from_secs(600))
        .build();
    println!("{:?}", Products { memory, redis }.product(7).await);
}
