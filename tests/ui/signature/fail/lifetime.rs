use cache_runtime::cacheable;
use std::borrow::Cow;

#[cacheable(key = "name:{name}")]
async fn name<'a>(name: &'a str) -> Cow<'a, str> {
    name.into()
}

fn main() {}
