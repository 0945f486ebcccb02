#![deny(warnings)]

use cache_runtime::cacheable;
use std::borrow::Cow;
use std::sync::Arc;

type Answer<T> = Result<T, std::fmt::Error>;
type Found = Option<u64>;

#[cacheable(key = "plain:{id}")]
async fn plain(id: u64) -> (u64, String) {
    (id, String::new())
}

#[cacheable(key = "alias:{id}")]
async fn alias(id: u64) -> Answer<Found> {
    Ok(Some(id))
}

#[cacheable(key = "io:{id}")]
async fn io(id: u64) -> std::io::Result<Vec<u64>> {
    Ok(vec![id])
}

#[cacheable(key = "arc:{id}")]
async fn arc(id: u64) -> Arc<Vec<u64>> {
    Arc::new(vec![id])
}

#[cacheable(key = "cow:{id}")]
async fn cow(id: u64) -> Cow<'static, str> {
    id.to_string().into()
}

#[cacheable(key = "nested:{id}")]
async fn nested(id: u64) -> Option<Result<u64, String>> {
    Some(Ok(id))
}

struct Shop;

trait Answers {
    type Answer;
    fn answer(id: u64) -> impl Future<Output = Self::Answer>;
}

impl Answers for Shop {
    type Answer = u64;

    #[cacheable(key = "associated:{id}")]
    async fn answer(id: u64) -> Self::Answer {
        id
    }
}

#[tokio::main]
async fn main() {
    assert_eq!(plain(1).await.0, 1);
    assert_eq!(alias(1).await, Ok(Some(1)));
    assert_eq!(io(1).await.unwrap(), [1]);
    assert_eq!(*arc(1).await, [1]);
    assert_eq!(cow(1).await, "1");
    assert_eq!(nested(1).await, Some(Ok(1)));
    assert_eq!(Shop::answer(1).await, 1);
}
