use cache_runtime::cacheable;

#[cacheable(key = "a:{id}", background_refresh)]
async fn argument<T: ToString + Clone + Send + Sync>(id: u64, text: &T) -> String {
    text.to_string()
}

#[cacheable(key = "b:{id}", background_refresh)]
async fn opaque(id: u64, text: impl ToString + Clone + Send + Sync) -> String {
    text.to_string()
}

fn main() {}
