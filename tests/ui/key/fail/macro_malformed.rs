use cache_runtime::key;

fn main() {
    let id = 1;
    let _ = key!("product:{id:?}");
    let _ = key!("product:{id}{id}");
    let _ = key!("product:{id");
    let _ = id;
}
