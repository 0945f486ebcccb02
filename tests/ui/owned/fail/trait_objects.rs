use cache_runtime::cacheable;

#[cacheable(key = "a", stale_while_revalidate = "1m")]
async fn argument(text: &dyn ToString) -> String {
    text.to_string()
}

#[cacheable(key = "b", refresh_every = "1m")]
async fn optional(text: Option<&(dyn ToString + Sync)>) -> Option<String> {
    text.map(ToString::to_string)
}

fn main() {}
