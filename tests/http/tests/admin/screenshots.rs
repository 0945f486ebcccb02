//! Pictures of the page, for the documentation: `SCREENSHOTS=FOLDER`, which `cargo xtask screenshots` sets, writes them, after some minutes of load. Without it
//! they are taken all the same, of a page with less to show.

use std::{
    env, fs, io,
    path::Path,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use cache_http::admin::Guard;
use cache_runtime::{Cache, Evict, LoadTimeout, cacheable};
use serde_json::json;
use tests::{
    eventually::{self, PATIENCE},
    server::RedisServer,
};
use tokio::time::{interval, sleep};

use crate::{
    browser::{Browser, DESKTOP, PHONE},
    shop::{PATH, Shop},
};

/// As long as the page shows at first.
const LOAD: Duration = Duration::from_secs(5 * 60);
const BRIEF: Duration = Duration::from_secs(2);

mod catalog {
    use super::*;

    #[cacheable(key = "product:{id}", tags = ["category:{id % 12}"], ttl = "90s", stampede_protection, background_refresh)]
    pub(crate) async fn product(id: u64) -> String {
        sleep(Duration::from_millis(8 + id % 23)).await;
        "a product".repeat(20)
    }

    #[cacheable(
        key = "products:list:{page}",
        ttl = "5s",
        stale_while_revalidate = "10s"
    )]
    pub(crate) async fn list(page: u64) -> Vec<u64> {
        sleep(Duration::from_millis(30 + page)).await;
        (0..50).collect()
    }
}

mod pricing {
    use super::*;

    #[cacheable(key = "rate:{currency}", ttl = "2s", stale_if_error = "1h", soft_timeout = "40ms", hard_timeout = "2s", on_timeout = fail)]
    pub(crate) async fn rate(currency: u64) -> io::Result<f64> {
        sleep(Duration::from_millis(25)).await;
        match fastrand::u8(..12) {
            0 => Err(io::ErrorKind::ConnectionReset.into()),
            _ => Ok(1.08),
        }
    }

    fn fail(timeout: LoadTimeout) -> io::Error {
        io::Error::other(timeout)
    }
}

mod users {
    use super::*;

    #[cacheable(key = "wishlist", scope = "user:{user}", ttl = "1m")]
    pub(crate) async fn wishlist(user: u64) -> Vec<u64> {
        sleep(Duration::from_millis(4)).await;
        vec![user; 8]
    }
}

/// What a shop is asked for: more at times, the same products mostly, and some changes.
async fn load(cache: Cache) {
    let began = Instant::now();
    let mut tick = interval(Duration::from_millis(20));
    loop {
        tick.tick().await;
        let wave = (began.elapsed().as_secs_f64() / 17.0).sin()
            + (began.elapsed().as_secs_f64() / 5.3).sin() / 3.0;
        let calls = (12.0 + 7.0 * wave) * (0.7 + 0.6 * fastrand::f64());
        for _ in 0..calls as u64 {
            let often = fastrand::f64().powi(3);
            let call = cache.as_current(one(often));
            tokio::spawn(call);
        }
        let evicted = match fastrand::u32(..1500) {
            0 => Evict::region("product"),
            1..20 => Evict::tag(format!("category:{}", fastrand::u8(..12))),
            _ => continue,
        };
        // On a machine that is busy enough it is queued, and the page shows that too.
        let _ = cache.evict(evicted).await;
    }
}

async fn one(often: f64) {
    match fastrand::u8(..20) {
        0..12 => drop(catalog::product((often * 4000.0) as u64).await),
        12..15 => drop(catalog::list((often * 30.0) as u64).await),
        15..17 => drop(pricing::rate((often * 6.0) as u64).await),
        _ => drop(users::wishlist((often * 900.0) as u64).await),
    }
}

#[tokio::test]
async fn the_page_is_drawn_on_a_desk_in_the_dark_and_on_a_telephone() {
    let folder = env::var_os("SCREENSHOTS");
    let redis = RedisServer::start().await;
    let cache = Cache::builder("shop").redis(redis.url()).build().unwrap();
    cache.ready(PATIENCE).await.unwrap();
    let shop = Shop::of(cache.clone(), Guard::open()).await;
    let work = tokio::spawn(load(cache));

    let browser = Browser::start().await;
    browser
        .goto(&format!("http://{}{PATH}", shop.address))
        .await;
    sleep(if folder.is_some() { LOAD } else { BRIEF }).await;
    browser.shows("#sites tbody", "wishlist").await;
    browser.fill("#inspect [name=key]", "product:7").await;
    eventually::holds("the product is stored", async || {
        browser.click("#inspect button[type=submit]").await;
        browser.text("#inspect-result").await.contains("category:7")
    })
    .await;
    browser.choose("#evict [name=kind]", "tag").await;
    browser.fill("#evict [name=value]", "category:7").await;

    for (name, size, scheme, screens) in [
        ("desktop-light", DESKTOP, "light", 3),
        ("desktop-dark", DESKTOP, "dark", 1),
        ("phone", PHONE, "light", 2),
    ] {
        browser.resize(size).await;
        browser.prefer(scheme).await;
        let picture = picture(&browser, size, screens).await;
        assert!(
            picture.starts_with(b"\x89PNG") && picture.len() > 20_000,
            "{name}: {} bytes",
            picture.len()
        );
        if let Some(folder) = &folder {
            fs::write(Path::new(folder).join(format!("{name}.png")), picture).unwrap();
        }
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
    assert!(!work.is_finished(), "the load went on to the end");
    work.abort();
}

/// From the top down, as far as so many screens.
async fn picture(browser: &Browser, (width, height): (u32, u32), screens: u32) -> Vec<u8> {
    browser
        .eval("scrollTo(0, 0); document.activeElement.blur()")
        .await;
    // A moment for the next answer, by which the charts are as wide as they are to be.
    sleep(Duration::from_millis(1200)).await;
    let whole = browser
        .eval("return document.documentElement.scrollHeight")
        .await;
    let whole = whole.as_u64().expect("it is a number");
    let shown = whole.min(u64::from(height * screens));
    let clip = json!({ "x": 0, "y": 0, "width": width, "height": shown, "scale": 1 });
    let wish = json!({ "format": "png", "captureBeyondViewport": true, "clip": clip });
    let shot = browser.devtools("Page.captureScreenshot", wish).await;
    let data = shot["data"].as_str().expect("a picture is text");
    BASE64_STANDARD.decode(data).expect("it is in base64")
}
