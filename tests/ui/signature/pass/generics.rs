#![deny(warnings)]

use cache_runtime::{cache_evict, cacheable};
use serde::Serialize;
use serde::de::DeserializeOwned;

trait Table: Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    const NAME: &'static str;
    fn new(id: u64) -> Self;
}

#[derive(Clone, Debug, PartialEq, Serialize, serde::Deserialize)]
struct User(u64);

impl Table for User {
    const NAME: &'static str = "user";
    fn new(id: u64) -> Self {
        User(id)
    }
}

#[cacheable(key = "{T::NAME}:{id}")]
async fn load<T: Table>(id: u64) -> Option<T> {
    Some(T::new(id))
}

#[cacheable]
async fn by_default<T, const N: usize>(id: u64) -> T
where
    T: Table,
{
    T::new(id + N as u64)
}

struct Repo<'a, T>(&'a str, T);

impl<'a, T: Table> Repo<'a, T> {
    #[cacheable(key = "{self.0}:{id}")]
    async fn get(&self, id: u64) -> Result<T, String> {
        let _ = &self.1;
        Ok(T::new(id))
    }

    #[cache_evict(key = "{self.0}:{id}")]
    async fn borrow(&self, id: u64) -> &'a str {
        let _ = id;
        self.0
    }
}

#[cacheable(key = "impl:{id}")]
async fn with_impl(id: impl Into<u64> + Serialize + Send) -> u64 {
    id.into()
}

#[tokio::main]
async fn main() {
    assert_eq!(load::<User>(1).await, Some(User(1)));
    assert_eq!(by_default::<User, 3>(1).await, User(4));
    let repo = Repo("users", User(0));
    assert_eq!(repo.get(1).await, Ok(User(1)));
    assert_eq!(repo.borrow(1).await, "users");
    assert_eq!(with_impl(7_u32).await, 7);
}
