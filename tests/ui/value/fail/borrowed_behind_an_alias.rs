use cache_runtime::cacheable;

type TextResult<'a> = Result<&'a str, String>;
type Text<'a> = Result<&'a str, String>;

#[cacheable(key = "text:{text}")]
async fn text(text: &str) -> TextResult<'_> {
    Ok(text)
}

#[cacheable(key = "text:{text}")]
async fn another_name(text: &str) -> Text<'_> {
    Ok(text)
}

fn main() {}
