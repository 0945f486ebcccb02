use cache_runtime::cache_evict;

struct Product {
    id: u64,
}

#[cache_evict(key = "product:{result.ident}")]
async fn create(id: u64) -> Result<Product, String> {
    Ok(Product { id })
}

fn main() {}
