use std::borrow::Cow;
use std::pin::Pin;

use cache_runtime::{LoadTimeout, cacheable};

#[cacheable(key = "a", background_refresh)]
async fn of_references(words: &[&str]) -> usize {
    words.len()
}

#[cacheable(key = "b", background_refresh)]
async fn with_lifetime(name: Cow<'_, str>, pair: (u64, &str)) -> usize {
    name.len() + pair.1.len()
}

#[cacheable(key = "c", hard_timeout = "1s")]
async fn error<'a>(name: &'a str) -> Result<usize, Failed<'a>> {
    Ok(name.len())
}

struct Failed<'a>(&'a str);

impl From<LoadTimeout> for Failed<'_> {
    fn from(_: LoadTimeout) -> Self {
        Self("")
    }
}

// The value is refused as it is without the option.
#[cacheable(key = "f", background_refresh)]
async fn value<'a>(name: &'a str) -> Result<&'a str, String> {
    Ok(name)
}

struct Shop(u64);

impl Shop {
    #[cacheable(key = "d", background_refresh)]
    async fn pinned(self: Pin<&Self>) -> u64 {
        self.0
    }
}

// What a function takes borrows from nobody.
#[cacheable(key = "e", background_refresh)]
async fn function(length: fn(&str) -> usize) -> usize {
    length("a")
}

fn main() {}
