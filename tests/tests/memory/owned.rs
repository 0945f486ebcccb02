//! What a body sees whose load may outlive its call: the arguments that its signature promises, though they are lent from owned ones.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{LoadTimeout, cacheable};
use serde::{Serialize, de::DeserializeOwned};
use tests::caches::{assert_nothing_left, in_memory};

#[derive(Clone, Debug, Serialize)]
struct Query {
    page: u64,
    words: Vec<String>,
}

fn query() -> Query {
    Query {
        page: 2,
        words: vec!["a".to_owned(), "b".to_owned()],
    }
}

#[cacheable(key = "nothing", background_refresh)]
async fn nothing() -> u64 {
    1
}

#[cacheable(key = "references", background_refresh)]
async fn references<'a>(
    text: &'a str,
    numbers: &'a [u64],
    query: &Query,
    lasting: &'static str,
) -> String {
    let text: &'a str = text;
    let numbers: &'a [u64] = numbers;
    let query: &'_ Query = query;
    let lasting: &'static str = lasting;
    let words = 'words: loop {
        if lasting.is_empty() {
            continue 'words;
        }
        break 'words query.words.join("+");
    };
    format!("{text} {numbers:?} {words} {lasting}")
}

#[cacheable(key = "optional:{text}:{id}", early_refresh)]
async fn optional(text: Option<&str>, query: Option<&Query>, id: Option<u64>) -> String {
    let text: Option<&str> = text;
    let query: Option<&Query> = query;
    let page = query.map(|query| query.page);
    format!("{text:?} {page:?} {id:?}")
}

#[cacheable(key = "patterns:{a}:{c}", stale_while_revalidate = "1m")]
async fn patterns((a, mut b): (u64, u64), mut c: u64, _: &str, Query { page, .. }: Query) -> u64 {
    b += 1;
    c += a + b;
    c + page
}

#[cacheable(key = "mutable:{text}", consistency_check = 0.5)]
async fn mutable(mut text: &str, mut owned: String) -> String {
    text = text.trim();
    owned.push_str(text);
    owned
}

#[cacheable(key = "consumed", soft_timeout = "1s")]
async fn consumed(words: Vec<String>, name: Cow<'static, str>) -> Vec<String> {
    let mut all = words;
    all.push(name.into_owned());
    all
}

trait Words: Clone + Send + Sync + 'static {
    fn words(&self) -> String;
}

impl Words for &'static str {
    fn words(&self) -> String {
        (*self).to_owned()
    }
}

#[cacheable(key = "opaque", background_refresh = 0.5)]
async fn opaque(
    id: impl Into<u64> + Clone + Send + Sync + 'static,
    names: &impl Words,
    more: Option<&impl Words>,
    all: &[impl Words],
) -> String {
    let more = more.map_or_else(String::new, Words::words);
    format!("{} {} {more} {}", id.into(), names.words(), all[0].words())
}

#[cacheable(key = "{T::NAME}:{N}", refresh_every = "5m", idle = "1h")]
async fn generic<T, const N: usize>(rows: &[T; N], first: T) -> Option<T>
where
    T: Table,
{
    rows.last().filter(|last| **last != first).cloned()
}

trait Table: Clone + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static {
    const NAME: &'static str;
}

impl Table for u64 {
    const NAME: &'static str = "numbers";
}

/// An error that is only `Send`.
#[derive(Debug)]
struct Failed(std::cell::Cell<u64>);

impl From<std::num::ParseIntError> for Failed {
    fn from(_: std::num::ParseIntError) -> Self {
        Self(std::cell::Cell::new(1))
    }
}

impl From<LoadTimeout> for Failed {
    fn from(_: LoadTimeout) -> Self {
        Self(std::cell::Cell::new(2))
    }
}

#[cacheable(key = "flow:{text}", hard_timeout = "1m", negative_ttl = "1m")]
async fn control_flow(text: &str) -> Result<Option<u64>, Failed> {
    macro_rules! parsed {
        ($text:expr) => {
            $text.parse::<u64>()?
        };
    }
    if text.is_empty() {
        return Ok(None);
    }
    if text == "no" {
        return Err(Failed(std::cell::Cell::new(3)));
    }
    tokio::task::yield_now().await;
    Ok(Some(parsed!(text)))
}

#[cacheable(key = "closure:{id}", hard_timeout = Duration::from_secs(60), on_timeout = |timeout| timeout.to_string())]
async fn with_closure(id: u64) -> Result<u64, String> {
    Ok(id)
}

#[cacheable(key = "{key}:{result}:{self_}:{__this}:{__owned}", background_refresh)]
async fn taken(
    key: u64,
    result: u64,
    self_: u64,
    __this: u64,
    __owned: &str,
    __policy: &u64,
) -> String {
    format!("{key}{result}{self_}{__this}{__owned}{__policy}")
}

#[cacheable(key = "{r#type}", background_refresh)]
async fn raw(r#type: &str) -> usize {
    r#type.len()
}

#[cacheable(key = "many", background_refresh)]
#[expect(
    clippy::too_many_arguments,
    reason = "more than the longest tuple that is `Clone`"
)]
async fn many(
    a: u64,
    b: u64,
    c: u64,
    d: u64,
    e: u64,
    f: u64,
    g: &str,
    h: u64,
    i: u64,
    j: u64,
    k: u64,
    l: u64,
    m: u64,
    n: u64,
) -> String {
    format!("{a}{b}{c}{d}{e}{f}{g}{h}{i}{j}{k}{l}{m}{n}")
}

macro_rules! written {
    ($name:ident, $argument:ident, $ty:ty, $key:literal) => {
        #[cacheable(key = $key, background_refresh)]
        async fn $name($argument: $ty) -> String {
            $argument.to_string()
        }
    };
}

written!(written_by_a_macro, text, &str, "written:{text}");

/// Calls once through a cache of its own, and compares.
macro_rules! sees {
    ($call:expr => $value:expr) => {{
        let cache = in_memory();
        assert_eq!(cache.as_current($call).await, $value);
        assert_eq!(cache.as_current($call).await, $value, "a hit");
        assert_eq!(cache.stats().total.l1_hits, 1);
        assert_nothing_left(&cache);
    }};
}

#[tokio::test]
async fn references_are_what_the_signature_says() {
    sees!(nothing() => 1);
    sees!(references("x", &[1, 2], &query(), "y") => "x [1, 2] a+b y");
    sees!(optional(Some("x"), Some(&query()), Some(3)) => r#"Some("x") Some(2) Some(3)"#);
    sees!(optional(None, None, None) => "None None None");
    sees!(raw("abc") => 3);
    sees!(written_by_a_macro("abc") => "abc");
}

#[tokio::test]
async fn values_and_patterns_belong_to_the_body() {
    sees!(patterns((1, 2), 3, "ignored", query()) => 9);
    sees!(mutable(" x ", "y".to_owned()) => "yx");
    sees!(consumed(vec!["a".to_owned()], "b".into()) => ["a", "b"]);
    sees!(many(1, 2, 3, 4, 5, 6, "g", 8, 9, 10, 11, 12, 13, 14) => "123456g891011121314");
}

#[tokio::test]
async fn generic_and_opaque_types_are_what_they_were() {
    sees!(opaque(7_u32, &"a", Some(&"b"), &["c"]) => "7 a b c");
    sees!(generic(&[1, 2, 3], 1) => Some(3));
}

#[tokio::test]
async fn control_flow_and_errors_mean_what_they_meant() {
    let cache = in_memory();
    let value = |text| {
        let cache = cache.clone();
        async move {
            let result = cache.as_current(control_flow(text)).await;
            result.map_err(|Failed(cause)| cause.get())
        }
    };
    assert_eq!(value("5").await, Ok(Some(5)));
    assert_eq!(value("").await, Ok(None));
    assert_eq!(value("no").await, Err(3));
    assert_eq!(value("x").await, Err(1));
    sees!(with_closure(3) => Ok(3));
    assert_nothing_left(&cache);
}

#[tokio::test]
async fn no_name_of_an_argument_is_taken() {
    sees!(taken(1, 2, 3, 4, "5", &6) => "123456");
}

#[tokio::test]
async fn a_shared_argument_is_shared() {
    #[cacheable(key = "counted", background_refresh)]
    async fn counted(shared: Arc<()>, lent: &Arc<()>) -> bool {
        Arc::ptr_eq(&shared, lent)
    }
    let shared = Arc::new(());
    sees!(counted(Arc::clone(&shared), &shared) => true);
}

#[tokio::test]
async fn the_future_of_a_call_is_small_whatever_its_body_holds() {
    #[cacheable(key = "large:{id}", background_refresh)]
    async fn large(id: u64, name: &str) -> usize {
        let bytes = [1_u8; 4_096];
        tokio::task::yield_now().await;
        name.len() + usize::from(bytes[usize::try_from(id).unwrap_or(0)])
    }
    let size = size_of_val(&large(1, "a"));
    assert!(size <= 512, "{size} bytes");
    sees!(large(1, "a") => 2);
}
