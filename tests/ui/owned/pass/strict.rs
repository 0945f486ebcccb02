// Generated code allows nothing for itself that a strict crate forbids.
#![forbid(unused, unreachable_code, unsafe_code, future_incompatible, nonstandard_style)]

use cache_runtime::cacheable;

#[derive(Clone)]
struct Shop(u64);

impl Shop {
    #[cacheable(key = "{self.0}:{id}:{name}", background_refresh)]
    async fn product(mut self, id: u64, mut name: String, _unused: &str, (mut a, _): (u64, u64)) -> Result<u64, String> {
        self.0 += id;
        a += 1;
        name.push('!');
        Ok(self.0 + a)
    }

    #[cacheable(key = "{self.0}:{id}:{name}", background_refresh)]
    async fn only_in_the_key(&self, id: u64, name: Option<&str>) -> u64 {
        7
    }
}

fn main() {
    drop((Shop(1).product(1, "a".to_owned(), "", (1, 2)), Shop(1).only_in_the_key(1, None)));
}
