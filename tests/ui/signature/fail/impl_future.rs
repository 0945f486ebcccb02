use cache_runtime::cacheable;

#[cacheable(key = "product:{id}")]
fn product(id: u64) -> impl Future<Output = u64> {
    async move { id }
}

fn main() {}
