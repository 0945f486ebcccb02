use cache_runtime::cacheable;

#[cacheable(skip(token), secret(token))]
async fn session(token: String) -> usize {
    token.len()
}

fn main() {}
