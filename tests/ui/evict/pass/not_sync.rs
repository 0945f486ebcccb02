#![deny(warnings)]

use cache_runtime::cache_evict;
use std::cell::Cell;

#[cache_evict(key = "cell:{id}", before)]
async fn value(id: u64) -> Cell<u64> {
    Cell::new(id)
}

#[cache_evict(key = "cell:{result.get()}")]
async fn named_by_the_value(id: u64) -> Result<Cell<u64>, String> {
    Ok(Cell::new(id))
}

#[cache_evict("cells:*")]
async fn receiver() -> std::sync::mpsc::Receiver<u64> {
    std::sync::mpsc::channel().1
}

#[tokio::main]
async fn main() {
    assert_eq!(tokio::spawn(value(1)).await.unwrap().get(), 1);
    assert_eq!(tokio::spawn(named_by_the_value(1)).await.unwrap().unwrap().get(), 1);
    assert!(tokio::spawn(receiver()).await.unwrap().recv().is_err());
}
