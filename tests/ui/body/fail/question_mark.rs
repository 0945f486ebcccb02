use cache_runtime::cacheable;

struct Failed;

impl From<std::fmt::Error> for Failed {
    fn from(_: std::fmt::Error) -> Self {
        Self
    }
}

#[cacheable(key = "number:{text}")]
async fn number(text: String) -> Result<u64, Failed> {
    let number: u64 = text.parse()?;
    Ok(number)
}

fn main() {}
