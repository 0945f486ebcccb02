use cache_runtime::cache_evict;

#[cache_evict(key = "session:{id}", pattern = "sessions:{id}:*", secret(token))]
async fn not_in_a_template(id: u64, token: String) {
    drop((id, token));
}

#[cache_evict(key = "session:{token}", secret(tokn))]
async fn unknown(token: String) {
    drop(token);
}

#[cache_evict(all, secret(token))]
async fn nothing_to_hide(token: String) {
    drop(token);
}

#[cache_evict(key = "session:{token.len() + result}", secret(token))]
async fn with_the_result(token: &str) -> usize {
    token.len()
}

fn main() {}
