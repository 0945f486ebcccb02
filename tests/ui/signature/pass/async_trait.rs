#![deny(warnings)]

use async_trait::async_trait;
use cache_runtime::{cache_evict, cache_put, cacheable};

#[async_trait]
trait Products: Sync {
    async fn product(&self, id: u64, name: &str) -> Result<Option<String>, std::num::ParseIntError>;
    async fn rename(&self, id: u64, name: &str) -> Result<(u64, String), String>;
    async fn update(&self, id: u64) -> u64;

    #[cacheable(key = "provided:{id}")]
    async fn provided(&self, id: u64) -> u64 {
        id
    }
}

struct Shop {
    tenant: u64,
}

#[async_trait]
impl Products for Shop {
    #[cacheable(key = "product:{self.tenant}:{id}:{name}")]
    async fn product(&self, id: u64, name: &str) -> Result<Option<String>, std::num::ParseIntError> {
        let number: u64 = name.parse()?;
        if number == 0 {
            return Ok(None);
        }
        tokio::task::yield_now().await;
        Ok(Some(format!("{}:{}", self.tenant + id, number)))
    }

    #[cache_evict(key = "product:{self.tenant}:{id}:{name}", pattern = "list:{result.0}:*")]
    async fn rename(&self, id: u64, name: &str) -> Result<(u64, String), String> {
        Ok((id + self.tenant, name.to_owned()))
    }

    #[cache_put(key = "number:{self.tenant}:{id}")]
    async fn update(&self, id: u64) -> u64 {
        self.tenant + id
    }
}

#[async_trait(?Send)]
trait Local {
    async fn local(&self, id: u64) -> u64;
}

#[async_trait(?Send)]
impl Local for Shop {
    #[cacheable(key = "local:{id}")]
    async fn local(&self, id: u64) -> u64 {
        let not_send = std::rc::Rc::new(id);
        tokio::task::yield_now().await;
        *not_send + self.tenant
    }
}

#[tokio::main]
async fn main() {
    let shop: Box<dyn Products> = Box::new(Shop { tenant: 1 });
    assert_eq!(shop.product(1, "2").await, Ok(Some("2:2".to_owned())));
    assert_eq!(shop.product(1, "0").await, Ok(None));
    assert!(shop.product(1, "x").await.is_err());
    assert_eq!(shop.rename(1, "b").await, Ok((2, "b".to_owned())));
    assert_eq!(shop.update(1).await, 2);
    assert_eq!(shop.provided(1).await, 1);
    assert_eq!(Shop { tenant: 1 }.local(1).await, 2);
}
