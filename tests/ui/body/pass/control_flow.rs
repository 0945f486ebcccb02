#![deny(warnings)]

use cache_runtime::{cache_evict, cacheable};

#[derive(Clone, Debug, PartialEq)]
struct Failed(String);

impl From<std::num::ParseIntError> for Failed {
    fn from(error: std::num::ParseIntError) -> Self {
        Failed(error.to_string())
    }
}

#[cacheable(key = "number:{text}")]
async fn number(text: &str) -> Result<Option<u64>, Failed> {
    use std::collections::BTreeSet;
    if text.is_empty() {
        return Ok(None);
    }
    let seen: BTreeSet<u64> = [text.parse()?].into();
    'outer: loop {
        for value in &seen {
            if *value < 10 {
                break 'outer;
            }
            return Ok(Some(*value));
        }
    }
    Ok(seen.into_iter().next())
}

#[cacheable(key = "into:{id}")]
async fn into(id: u32) -> u64 {
    id.into()
}

#[cacheable(key = "boxed:{id}")]
async fn collect(id: u64) -> Vec<u64> {
    (0..id).collect()
}

#[cacheable(key = "never:{id}")]
async fn never(id: u64) -> u64 {
    panic!("{id}")
}

#[cacheable(key = "endless")]
async fn endless() -> u64 {
    loop {
        tokio::task::yield_now().await;
    }
}

#[cacheable(key = "unit")]
async fn unit() {}

#[cache_evict(key = "number:{text}")]
async fn evicting(text: String) -> Result<(), Failed> {
    let _: u64 = text.parse()?;
    Ok(())
}

#[cacheable(key = "recursive:{n}")]
async fn recursive(n: u64) -> u64 {
    if n == 0 { 0 } else { Box::pin(recursive(n - 1)).await + 1 }
}

#[tokio::main]
async fn main() {
    assert_eq!(number("").await, Ok(None));
    assert_eq!(number("5").await, Ok(Some(5)));
    assert_eq!(number("50").await, Ok(Some(50)));
    assert!(number("x").await.is_err());
    assert_eq!(into(1).await, 1);
    assert_eq!(collect(2).await, [0, 1]);
    assert_eq!(recursive(3).await, 3);
    assert!(evicting("x".to_owned()).await.is_err());
    unit().await;
    let _ = (never(1), endless());
}
