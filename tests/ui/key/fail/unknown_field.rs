use cache_runtime::cacheable;

struct Query {
    page: u64,
}

#[cacheable(key = "products:{query.pgae}")]
async fn products(query: Query) -> u64 {
    query.page
}

fn main() {}
