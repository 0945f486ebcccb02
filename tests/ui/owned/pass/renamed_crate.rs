#![deny(warnings)]

mod framework {
    pub use ::cache_runtime as cache;
}

#[derive(Clone)]
struct Shop(u64);

impl Shop {
    #[framework::cache::cacheable(key = "{self.0}:{name}", hard_timeout = "2s", on_miss = told, crate = crate::framework::cache)]
    async fn product(&self, name: &str) -> Result<u64, framework::cache::LoadTimeout> {
        Ok(self.0 + name.len() as u64)
    }
}

fn told(_: &framework::cache::Event) {}

#[tokio::main]
async fn main() {
    assert_eq!(Shop(1).product("ab").await, Ok(3));
}
