//! The page, as a person has it.

use cache_http::admin::Guard;
use cache_runtime::Cache;
use serde_json::json;
use tests::{eventually, server::RedisServer};

use crate::{
    browser::{Browser, DESKTOP, PHONE},
    shop::{PATH, Shop, TOKEN, quote},
};

/// As the recommendation numbers them.
const ENTER: &str = "\u{e007}";
const LEFT: &str = "\u{e012}";

/// Opened as a person opens it, who types the token into the browser's own dialog.
async fn opened(shop: &Shop) -> Browser {
    let browser = Browser::start().await;
    browser
        .goto(&format!("http://ops:{TOKEN}@{}{PATH}", shop.address))
        .await;
    browser.shows("#live-words", "Live").await;
    browser
}

async fn hit_ratio(browser: &Browser) -> Option<f64> {
    let text = browser.text("#card-ratio .value").await;
    text.trim_end_matches(" %")
        .trim_start_matches(['>', '<'])
        .parse()
        .ok()
}

/// Nothing was asked of anybody else, and nobody complained.
async fn assert_at_peace(browser: &Browser, shop: &Shop) {
    let own = format!("http://{}/", shop.address);
    let requests = browser.requests().await;
    assert!(
        requests.iter().any(|it| it.ends_with("/api/overview")),
        "{requests:?}"
    );
    let foreign: Vec<_> = requests.iter().filter(|it| !it.starts_with(&own)).collect();
    assert!(foreign.is_empty(), "asked elsewhere: {foreign:?}");
    assert_eq!(browser.complaints().await, Vec::<String>::new());
}

#[tokio::test]
async fn the_page_follows_the_load_and_acts_on_the_cache() {
    let redis = RedisServer::start().await;
    let shop = Shop::on(&redis).await;
    let browser = opened(&shop).await;

    // Nothing but misses, then mostly hits.
    let mut id = 0;
    let low = eventually::some("the page shows a low hit ratio", async || {
        for _ in 0..20 {
            id += 1;
            shop.product(id).await;
        }
        hit_ratio(&browser).await.filter(|ratio| *ratio < 20.0)
    })
    .await;
    eventually::holds("the hit ratio goes up", async || {
        for _ in 0..200 {
            shop.product(1).await;
        }
        hit_ratio(&browser)
            .await
            .is_some_and(|ratio| ratio > low + 50.0)
    })
    .await;
    browser.shows("#sites tbody", "product").await;
    let drawn = browser
        .eval("return document.querySelector('.plot path.line').getAttribute('d').length")
        .await;
    assert!(
        drawn.as_u64().is_some_and(|length| length > 20),
        "a line is drawn: {drawn}"
    );

    inspects_and_evicts(&browser, &shop).await;
    asks_before_it_evicts_much(&browser, &shop).await;
    assert_at_peace(&browser, &shop).await;

    redis.kill();
    browser.shows("#health", "Down").await;
    browser.shows("#banners", "Redis: down since").await;
    browser.click("#evict button[type=submit]").await;
    browser.shows("#evict-result", "it is queued").await;
    browser.shows("#health", "Queued evictions\n1").await;
    browser.shows("#events", "Redis: down").await;
    browser.close().await;
}

async fn inspects_and_evicts(browser: &Browser, shop: &Shop) {
    let runs = shop.runs();
    browser.fill("#inspect [name=key]", "product:1").await;
    browser.click("#inspect button[type=submit]").await;
    browser
        .shows("#inspect-result", "Memory of this process")
        .await;
    browser.shows("#inspect-result", "all products").await;
    shop.product(1).await;
    assert_eq!(shop.runs(), runs, "looking changes nothing");

    browser.choose("#evict [name=kind]", "key").await;
    browser.fill("#evict [name=value]", "product:1").await;
    browser.click("#evict button[type=submit]").await;
    browser
        .shows("#evict-result", "Evicted: key product:1.")
        .await;
    shop.product(1).await;
    assert_eq!(shop.runs(), runs + 1, "the origin runs again");

    // What the inspection shows can be copied.
    shop.basket("a:b", "u:1").await;
    let runs = shop.runs();
    browser
        .fill("#inspect [name=key]", "basket:a%3Ab:,user%3Au%253A1")
        .await;
    browser.click("#inspect button[type=submit]").await;
    browser
        .shows("#inspect-result .key", "basket:a%3Ab:,user%3Au%253A1")
        .await;
    browser
        .click("#inspect-result .row.end button:last-child")
        .await;
    browser.shows("#inspect-result", "Nothing is stored").await;
    shop.basket("a:b", "u:1").await;
    assert_eq!(shop.runs(), runs + 1);
}

async fn asks_before_it_evicts_much(browser: &Browser, shop: &Shop) {
    shop.product(1).await;
    let runs = shop.runs();
    browser.choose("#evict [name=kind]", "region").await;
    browser.fill("#evict [name=value]", "product").await;
    browser.click("#evict button[type=submit]").await;
    browser.shows("#confirm-title", "Evict by region?").await;
    browser.click("#confirm button[value=no]").await;
    shop.product(1).await;
    assert_eq!(shop.runs(), runs, "it was not wanted");

    browser.choose("#evict [name=kind]", "all").await;
    browser.click("#evict button[type=submit]").await;
    let unable = "return document.getElementById('confirm-yes').disabled";
    assert_eq!(browser.eval(unable).await, true, "before the name is typed");
    browser.fill("#confirm-name", "shop").await;
    browser.click("#confirm-yes").await;
    browser.shows("#evict-result", "Evicted: everything.").await;
    shop.product(1).await;
    assert_eq!(shop.runs(), runs + 1);

    browser.choose("#evict [name=kind]", "key").await;
    browser.fill("#evict [name=value]", "product:1").await;
}

#[tokio::test]
async fn the_page_fits_a_telephone_and_the_dark() {
    let shop = Shop::in_memory().await;
    for id in 0..50 {
        shop.cache.as_current(quote(id)).await;
        shop.product(id % 10).await;
        shop.basket(
            "a-name-that-is-as-long-as-names-of-keys-are-in-the-end",
            "1",
        )
        .await;
    }
    let browser = opened(&shop).await;
    browser.shows("#sites tbody", "product").await;
    browser.shows("#findings", "quote: ").await;
    browser.resize(PHONE).await;
    browser
        .fill(
            "#inspect [name=key]",
            "basket:a-name-that-is-as-long-as-names-of-keys-are-in-the-end",
        )
        .await;
    browser.fill("#inspect [name=scope]", "user:1").await;
    browser.click("#inspect button[type=submit]").await;
    browser.shows("#inspect-result", "Scope user:1").await;
    let wide = browser
        .eval("return [document.documentElement.scrollWidth, innerWidth, [...document.querySelectorAll('main *')].filter((it) => it.getBoundingClientRect().right > innerWidth + 1 && !it.closest('.sr, thead')).map((it) => it.outerHTML.slice(0, 80))]")
        .await;
    assert_eq!(
        wide,
        json!([PHONE.0, PHONE.0, []]),
        "nothing is wider than the screen"
    );

    let ground = "return getComputedStyle(document.body).backgroundColor";
    browser.resize(DESKTOP).await;
    browser.prefer("light").await;
    let light = browser.eval(ground).await;
    browser.prefer("dark").await;
    let dark = browser.eval(ground).await;
    assert_ne!(light, dark);
    browser.click("#theme").await;
    assert_eq!(
        browser.eval(ground).await,
        light,
        "the person's choice comes before the system's"
    );
    browser
        .goto(&format!("http://{}{PATH}/", shop.address))
        .await;
    browser.shows("#theme", "Light").await;
    assert_at_peace(&browser, &shop).await;
    browser.close().await;
}

#[tokio::test]
async fn the_page_can_be_used_by_keys_and_read_aloud() {
    let [cache, other] = ["shop", "users"].map(|name| Cache::builder(name).build().unwrap());
    let shown = [cache.clone(), other];
    let shop = Shop::with(cache, shown, Guard::token(TOKEN)).await;
    shop.product(1).await;
    let browser = opened(&shop).await;
    browser.shows("#sites tbody", "product").await;
    let nameless = browser
        .eval("return [...document.querySelectorAll('input, select, button')].filter((it) => !(it.labels?.length || it.textContent.trim() || it.ariaLabel)).map((it) => it.outerHTML)")
        .await;
    assert_eq!(nameless, json!([]), "everything to be used has a name");

    // The heading of a column is a button, and says how the table is ordered.
    let by_name = "#sites th.c-name button";
    browser
        .eval(&format!("document.querySelector({by_name:?}).focus()"))
        .await;
    browser.press(by_name, ENTER).await;
    let order = browser
        .eval("return document.querySelector('#sites th.c-name').ariaSort")
        .await;
    assert_eq!(order, "ascending");

    // A chart is read with the arrows.
    eventually::holds("two moments are drawn", async || {
        browser.press(".plot", LEFT).await;
        let spoken = browser
            .eval("return document.querySelector('.chart .sr').textContent")
            .await;
        spoken.as_str().is_some_and(|it| it.contains("Hits"))
    })
    .await;

    // The other cache is a page of its own.
    browser.choose("#cache-select", "users").await;
    browser.shows("#sites-empty", "No function").await;
    browser.close().await;
}

#[tokio::test]
async fn a_lost_connection_is_shown_and_tried_again_ever_less_often() {
    let shop = Shop::in_memory().await;
    let browser = opened(&shop).await;
    let offline = async |offline: bool| {
        let wish = json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        browser
            .devtools("Network.emulateNetworkConditions", wish)
            .await;
    };
    browser.devtools("Network.enable", json!({})).await;
    offline(true).await;
    browser.shows("#live-words", "Connection lost").await;
    browser
        .shows("#banners", "the server cannot be reached")
        .await;
    browser.shows("#retry", "Next try in 4 s").await;
    offline(false).await;
    browser.shows("#live-words", "Live").await;
    assert_eq!(browser.text("#banners").await, "");
    browser.close().await;
}
