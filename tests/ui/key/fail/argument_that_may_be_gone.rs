use cache_runtime::cacheable;

#[cacheable]
async fn product(id: u64, #[cfg(windows)] drive: char) -> u64 {
    id
}

fn main() {}
