#![deny(warnings)]

use cache_runtime::cacheable;

/// Neither `Clone` nor anything else.
#[derive(Debug)]
struct Foreign(String);

#[derive(Debug, Clone)]
struct Mine;

/// Shows a lifetime, so it is not shared.
#[derive(Debug, Clone)]
struct Borrowed<'a>(&'a str);

#[cacheable(key = "foreign:{id}")]
async fn foreign(id: u64) -> Result<u64, Foreign> {
    if id == 0 { Err(Foreign("zero".to_owned())) } else { Ok(id) }
}

#[cacheable(key = "made:{id}", share_errors = |error| Foreign(error.0.clone()))]
async fn made(id: u64) -> Result<u64, Foreign> {
    if id == 0 { Err(Foreign("zero".to_owned())) } else { Ok(id) }
}

fn again(_: &Foreign) -> Foreign {
    Foreign("again".to_owned())
}

#[cacheable(key = "path:{id}", share_errors = again)]
async fn path(id: u64) -> Result<u64, Foreign> {
    if id == 0 { Err(Foreign("zero".to_owned())) } else { Ok(id) }
}

#[cacheable(key = "mine:{id}")]
async fn mine(id: u64) -> Result<u64, Mine> {
    if id == 0 { Err(Mine) } else { Ok(id) }
}

#[cacheable(key = "off:{id}", share_errors = false)]
async fn off(id: u64) -> Result<u64, Mine> {
    if id == 0 { Err(Mine) } else { Ok(id) }
}

#[cacheable(key = "static:{id}")]
async fn statically(id: u64) -> Result<u64, &'static str> {
    if id == 0 { Err("zero") } else { Ok(id) }
}

#[cacheable(key = "borrowed:{text}")]
async fn borrowed<'a>(text: &'a str) -> Result<u64, Borrowed<'a>> {
    text.parse().map_err(|_| Borrowed(text))
}

#[tokio::main]
async fn main() {
    assert_eq!(foreign(0).await.unwrap_err().0, "zero");
    assert_eq!(made(0).await.unwrap_err().0, "zero");
    assert_eq!(path(0).await.unwrap_err().0, "zero");
    assert!(mine(0).await.is_err() && off(0).await.is_err());
    assert_eq!(statically(0).await, Err("zero"));
    assert_eq!(borrowed("x").await.unwrap_err().0, "x");
    assert_eq!(borrowed("5").await.unwrap(), 5);
}
