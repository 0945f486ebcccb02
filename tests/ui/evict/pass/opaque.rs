#![deny(warnings)]

use cache_runtime::{Served, cache_evict, cacheable, traced};

#[derive(Debug, PartialEq)]
struct Failed;

impl From<std::num::ParseIntError> for Failed {
    fn from(_: std::num::ParseIntError) -> Self {
        Failed
    }
}

type Found<T> = Result<Option<T>, Failed>;

#[cacheable(key = "number:{text}")]
async fn number(text: &str) -> usize {
    text.len()
}

/// What stands around `impl` still tells an `Err` from a value, and pins `?`.
#[cache_evict(key = "number:{text}")]
async fn inside(text: &str) -> Result<(u64, impl Iterator<Item = u64> + use<>), Failed> {
    let number = text.parse()?;
    Ok((number, std::iter::once(number)))
}

#[cache_evict(key = "number:{text}")]
async fn behind_an_alias(text: String) -> Found<impl Fn() -> u64> {
    let number = text.parse()?;
    if number == 0 {
        return Ok(None);
    }
    Ok(Some(move || number))
}

#[cache_evict(key = "number:{text}")]
async fn altogether(text: &str) -> impl Iterator<Item = u64> + use<> {
    text.parse().into_iter()
}

#[tokio::main]
async fn main() {
    assert_eq!(number("x").await, 1);
    assert_eq!(inside("x").await.err(), Some(Failed));
    assert_eq!(behind_an_alias("x".to_owned()).await.err(), Some(Failed));
    assert_eq!(traced(number("x")).await.1, Some(Served::Memory));
    assert_eq!(altogether("x").await.count(), 0);
    assert_eq!(traced(number("x")).await.1, Some(Served::Loaded));
    assert_eq!(inside("1").await.unwrap().0, 1);
    assert!(tokio::spawn(behind_an_alias("0".to_owned())).await.unwrap().unwrap().is_none());
}
