use cache_runtime::cacheable;

#[cacheable(key = "session:{id}", secret(token))]
async fn session(id: u64, token: String) -> usize {
    let _ = id;
    token.len()
}

fn main() {}
