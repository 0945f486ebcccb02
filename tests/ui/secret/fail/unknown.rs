use cache_runtime::cacheable;

#[cacheable(secret(token))]
async fn session(tokens: String) -> usize {
    tokens.len()
}

fn main() {}
