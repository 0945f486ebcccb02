#![deny(warnings)]

use std::time::Duration;

use cache_runtime::{LoadTimeout, cacheable};

#[derive(Clone, Debug, PartialEq)]
enum Failed {
    Slow(Duration),
}

impl From<LoadTimeout> for Failed {
    fn from(timeout: LoadTimeout) -> Self {
        Self::Slow(timeout.after())
    }
}

fn slow(timeout: LoadTimeout) -> String {
    timeout.to_string()
}

type Aliased<T> = Result<T, Failed>;

#[cacheable(key = "from:{id}", hard_timeout = "2s")]
async fn from(id: u64) -> Result<u64, Failed> {
    Ok(id)
}

#[cacheable(key = "aliased:{id}", hard_timeout = 2)]
async fn aliased(id: u64) -> Aliased<Option<u64>> {
    Ok(Some(id))
}

#[cacheable(key = "itself:{id}", hard_timeout = Duration::from_secs(2))]
async fn itself(id: u64) -> Result<u64, LoadTimeout> {
    Ok(id)
}

#[cacheable(key = "path:{id}", hard_timeout = "2s", on_timeout = slow)]
async fn path(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[cacheable(key = "variant:{id}", hard_timeout = "2s", on_timeout = Some)]
async fn variant(id: u64) -> Result<u64, Option<LoadTimeout>> {
    Ok(id)
}

#[cacheable(key = "closure:{id}", on_timeout = |timeout| Failed::Slow(timeout.after()), soft_timeout = "1s", hard_timeout = "2s")]
async fn closure(id: u64) -> Aliased<u64> {
    Ok(id)
}

struct Shop<E>(E);

impl<E: Clone + Send + Sync + From<LoadTimeout> + 'static> Shop<E> {
    fn late(timeout: LoadTimeout) -> E {
        timeout.into()
    }

    #[cacheable(key = "generic:{id}", hard_timeout = "2s")]
    async fn generic(self: std::sync::Arc<Self>, id: u64) -> Result<u64, E> {
        if id == 0 { Err(self.0.clone()) } else { Ok(id) }
    }

    #[cacheable(key = "associated:{id}", hard_timeout = "2s", on_timeout = Self::late)]
    async fn associated(id: u64) -> Result<u64, E> {
        Ok(id)
    }
}

#[tokio::main]
async fn main() {
    assert_eq!(from(1).await, Ok(1));
    assert_eq!(aliased(1).await, Ok(Some(1)));
    assert_eq!(itself(1).await, Ok(1));
    assert_eq!(path(1).await, Ok(1));
    assert_eq!(variant(1).await, Ok(1));
    assert_eq!(closure(1).await, Ok(1));
    let shop = std::sync::Arc::new(Shop(Failed::Slow(Duration::ZERO)));
    assert_eq!(shop.generic(1).await, Ok(1));
    assert_eq!(Shop::<Failed>::associated(1).await, Ok(1));
}
