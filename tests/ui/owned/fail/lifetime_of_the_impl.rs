use cache_runtime::cacheable;

#[derive(Clone)]
struct Repo<'a>(&'a str);

impl<'a> Repo<'a> {
    #[cacheable(key = "product:{self.0}", background_refresh)]
    async fn product(&self) -> String {
        self.0.to_owned()
    }
}

fn main() {}
