use cache_runtime::cacheable;

struct Session(String);

impl Session {
    #[cacheable(key = "session:{page}", secret(self))]
    async fn length(&self, page: usize) -> usize {
        self.0.len() + page
    }

    #[cacheable(secret(self))]
    async fn by_default(&self) -> usize {
        self.0.len()
    }
}

fn main() {}
