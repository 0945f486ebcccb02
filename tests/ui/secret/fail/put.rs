use cache_runtime::cache_put;

#[cache_put(key = "session:{id}", secret(token))]
async fn not_in_the_key(id: u64, token: String) -> u64 {
    id + token.len() as u64
}

#[cache_put(key = "session:{token}", secret(self))]
async fn unknown(token: String) -> u64 {
    token.len() as u64
}

#[cache_put(key = "session:{format!(\"{token}{result}\")}", secret(token))]
async fn with_the_result(token: &str) -> u64 {
    token.len() as u64
}

fn main() {}
