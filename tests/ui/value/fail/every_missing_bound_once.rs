use cache_runtime::cacheable;

struct Connection(*const u8);

#[cacheable(key = "connection:{id}")]
async fn connection(id: u64) -> Connection {
    let _ = id;
    Connection(std::ptr::null())
}

fn main() {}
