#![deny(warnings)]

use cache_runtime::cache_evict;

#[cache_evict(region = "products")]
async fn one() {}

#[cache_evict(region = ["products:list", "shops"], key = "product:{id}", hold = "2s", before)]
async fn many(id: u64) {
    let _ = id;
}

#[cache_evict(region = "{table}:list")]
async fn of_an_argument(table: String) {
    drop(table);
}

#[cache_evict(region = "{result}")]
async fn of_the_value(table: &str) -> Result<String, std::fmt::Error> {
    Ok(table.to_owned())
}

#[cache_evict(region = "lists:{{braces}}:?", always)]
async fn characters() -> Result<(), std::fmt::Error> {
    Err(std::fmt::Error)
}

#[tokio::main]
async fn main() {
    one().await;
    many(1).await;
    of_an_argument("shops".to_owned()).await;
    assert_eq!(of_the_value("shops").await.unwrap(), "shops");
    assert!(characters().await.is_err());
}
