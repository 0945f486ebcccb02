#![deny(warnings)]

use async_trait::async_trait;
use cache_runtime::cacheable;

#[async_trait]
trait Products: Clone + Send + Sync + 'static {
    async fn product<'a>(&self, id: u64, name: &'a str, more: Option<&'a u64>) -> Result<Option<String>, std::num::ParseIntError>;

    #[cacheable(key = "provided:{id}", background_refresh)]
    async fn provided(&self, id: u64) -> u64 {
        self.tenant() + id
    }

    fn tenant(&self) -> u64;
}

#[derive(Clone)]
struct Shop {
    tenant: u64,
}

#[async_trait]
impl Products for Shop {
    #[cacheable(key = "product:{self.tenant}:{id}:{name}", background_refresh, stale_if_error = "1h")]
    async fn product<'a>(&self, id: u64, name: &'a str, more: Option<&'a u64>) -> Result<Option<String>, std::num::ParseIntError> {
        let number: u64 = name.parse()?;
        let name: &'a str = name;
        if number == 0 {
            return Ok(None);
        }
        tokio::task::yield_now().await;
        Ok(Some(format!("{}:{name}:{more:?}", self.tenant() + id)))
    }

    fn tenant(&self) -> u64 {
        self.tenant
    }
}

#[tokio::main]
async fn main() {
    let shop = Shop { tenant: 1 };
    assert_eq!(shop.product(1, "2", None).await, Ok(Some("2:2:None".to_owned())));
    assert_eq!(shop.product(1, "0", None).await, Ok(None));
    assert!(shop.product(1, "x", None).await.is_err());
    assert_eq!(shop.provided(1).await, 2);
}
