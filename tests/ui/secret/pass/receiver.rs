#![deny(warnings)]

use cache_runtime::{cache_evict, cacheable};

struct Session {
    token: String,
}

impl Session {
    /// All of the receiver is secret; what is not goes into an argument.
    #[cacheable(key = "session:{self.token}:{page}", secret(self))]
    async fn page(&self, page: u64) -> u64 {
        self.token.len() as u64 + page
    }

    #[cache_evict(pattern = "session:{self.token}:*", secret(self))]
    async fn log_out(self) {
        drop(self);
    }
}

#[tokio::main]
async fn main() {
    let session = Session { token: "abc".to_owned() };
    assert_eq!(session.page(1).await, 4);
    session.log_out().await;
}
