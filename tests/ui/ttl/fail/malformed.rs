use cache_runtime::cacheable;

#[cacheable(ttl = "soon")]
async fn word() -> u64 {
    1
}

#[cacheable(ttl = "60")]
async fn without_unit() -> u64 {
    1
}

#[cacheable(ttl = "1.5s")]
async fn fraction() -> u64 {
    1
}

#[cacheable(ttl = "1h 30m")]
async fn gap() -> u64 {
    1
}

#[cacheable(ttl = "30m1h")]
async fn order() -> u64 {
    1
}

#[cacheable(ttl = "5min")]
async fn long_unit() -> u64 {
    1
}

#[cacheable(ttl = "")]
async fn nothing() -> u64 {
    1
}

fn main() {}
