//! fred's client by hand: `GET`, serde_json, and on a miss `SET … EX`. What Redis does not answer, the origin does.

use common::{Candidate, Product, Run, origin};
use fred::prelude::{Builder, Client, ClientLike, Config, Expiration, KeysInterface};
use fred::types::Value;
use std::sync::Arc;

fn main() {
    let run = Run::from_arguments();
    if run.variant() != "json" {
        run.unknown();
    }
    run.measure_made(async {
        let config = Config::from_url(run.redis()).expect("the runner gives a URL");
        let client = Builder::from_config(config).build();
        let client = client.expect("nothing of it can be wrong");
        client.init().await.expect("the server listens");
        Json(Box::leak(Box::new(client)))
    });
}

#[derive(Clone, Copy)]
struct Json(&'static Client);

impl Json {
    async fn cached<V>(self, key: String, origin: impl Future<Output = V>) -> V
    where
        V: serde::Serialize + serde::de::DeserializeOwned,
    {
        let held = self.0.get::<Value, _>(&key).await;
        let held = held.ok().and_then(Value::into_bytes);
        if let Some(value) = held.and_then(|held| serde_json::from_slice(&held).ok()) {
            return value;
        }
        let value = origin.await;
        let text = serde_json::to_vec(&value).expect("these values can be encoded");
        let ttl = Some(Expiration::EX(600));
        // Redis may be silent; the value is there all the same.
        let _: Result<(), _> = self.0.set(&key, text.as_slice(), ttl, None, false).await;
        value
    }
}

impl Candidate for Json {
    fn owned(self, id: u64) -> impl Future<Output = Product> + Send {
        self.cached(format!("product:{id}"), origin::owned(id))
    }

    fn slow(self, id: u64) -> impl Future<Output = Arc<Product>> + Send {
        self.cached(format!("slow:{id}"), origin::slow(id))
    }
}
