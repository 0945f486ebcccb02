#![deny(warnings, missing_docs)]
//! Everything around the function stays as it was written.

/// A module.
pub mod shop {
    use cache_runtime::cacheable;

    /// Documented.
    #[cacheable(key = "product:{id}")]
    #[must_use]
    #[expect(unused_variables, reason = "attributes stay on the function")]
    pub async fn product(id: u64, unused: u64) -> u64 {
        id
    }

    #[cacheable(key = "inner:{id}")]
    pub(crate) async fn inner(id: u64) -> u64 {
        #![allow(unused_variables)]
        let unused = 1;
        id
    }

    /// A keyword as a name.
    #[cacheable(key = "raw:{r#type}")]
    pub async fn r#match(r#type: u64) -> u64 {
        r#type
    }
}

#[tokio::main]
async fn main() {
    assert_eq!(shop::product(1, 2).await + shop::inner(1).await + shop::r#match(1).await, 3);
}
