#![deny(warnings)]

use cache_runtime::cacheable;
use std::sync::Arc;

struct Shop {
    tenant: u64,
}

impl Shop {
    #[cacheable(key = "ref:{self.tenant}:{id}")]
    async fn by_ref(&self, id: u64) -> u64 {
        self.tenant + id
    }

    #[cacheable(key = "mut:{self.tenant}:{id}")]
    async fn by_mut(&mut self, id: u64) -> u64 {
        self.tenant += id;
        self.tenant
    }

    #[cacheable(key = "arc:{self.tenant}:{id}")]
    async fn by_arc(self: Arc<Self>, id: u64) -> u64 {
        self.tenant + id
    }

    #[cacheable(key = "typed:{self.tenant}:{id}")]
    async fn by_typed_ref(self: &Self, id: u64) -> u64 {
        self.tenant + id
    }

    #[cacheable(key = "value:{self.tenant}:{id}")]
    async fn by_value(self, mut id: u64) -> u64 {
        id += self.tenant;
        drop(self);
        id
    }

    #[cacheable]
    async fn associated(id: u64) -> u64 {
        id
    }
}

trait Products {
    fn product(&self, id: u64) -> impl Future<Output = u64> + Send;
}

impl Products for Shop {
    #[cacheable(key = "native:{self.tenant}:{id}")]
    async fn product(&self, id: u64) -> u64 {
        self.tenant + id
    }
}

#[tokio::main]
async fn main() {
    let mut shop = Shop { tenant: 10 };
    assert_eq!(shop.by_ref(1).await, 11);
    assert_eq!(shop.by_typed_ref(1).await, 11);
    assert_eq!(shop.product(1).await, 11);
    assert_eq!(shop.by_mut(1).await, 11);
    assert_eq!(Arc::new(Shop { tenant: 1 }).by_arc(1).await, 2);
    assert_eq!(shop.by_value(1).await, 12);
    assert_eq!(Shop::associated(4).await, 4);
}
