use cache_runtime::cacheable;

#[cacheable(stampede_protection = "cluster")]
async fn word() -> u64 {
    1
}

#[cacheable(stampede_protection = true)]
async fn boolean() -> u64 {
    1
}

#[cacheable(stampede_protection(fleet))]
async fn parentheses() -> u64 {
    1
}

fn main() {}
