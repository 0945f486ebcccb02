use cache_runtime::cacheable;

struct Session(String);

impl Session {
    #[cacheable(skip(self), secret(self))]
    async fn length(&self) -> usize {
        self.0.len()
    }
}

fn main() {}
