//! URLs: none of them is a panic, and none shows the password that was in it.

use super::Source;
use crate::{Cache, tiers::redis::parse};

/// In no other part of any URL made here.
const PASSWORD: &str = "zzsecretzz";

pub(super) fn check(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let url = match source.below(2) {
        0 => String::from_utf8_lossy(source.rest()).into_owned(),
        _ => made(&mut source),
    };
    let shown = match parse(&url) {
        Ok(endpoint) => format!("{endpoint} {endpoint:?}"),
        Err(why) => why.to_string(),
    };
    hides_password(&shown, &url);
    if let Err(error) = Cache::builder("shop").redis(url.clone()).build() {
        hides_password(&format!("{error} {error:?}"), &url);
    }
}

fn hides_password(shown: &str, url: &str) {
    // A scheme may be shown, also in small letters.
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    let shown = match !scheme.is_empty() && is_scheme(scheme) {
        true => shown
            .replace(scheme, "")
            .replace(&scheme.to_ascii_lowercase(), ""),
        false => shown.to_owned(),
    };
    let is_told = shown.contains("zzsecret") && stands_where_it_belongs(url);
    assert!(!is_told, "{url:?} is shown as {shown:?}");
}

/// Whether the password is before an `@`, or the value of a parameter for it: elsewhere it may be a host, or in the path of a socket.
fn stands_where_it_belongs(url: &str) -> bool {
    let has_account = !url.to_ascii_lowercase().contains("unix://");
    let mut all = url.match_indices("zzsecret").peekable();
    all.peek().is_some()
        && all.all(|(at, _)| {
            let (before, after) = url.split_at(at);
            // What has no scheme of a URL is none.
            let scheme = before.split_once("://").map(|(scheme, _)| scheme);
            let in_url = scheme.is_some_and(is_scheme);
            let parameter = before.rsplit_once(['?', '&']);
            (in_url && has_account && after.contains('@'))
                || parameter.is_some_and(|(_, parameter)| {
                    ["pass=", "sentinel_password="]
                        .iter()
                        .any(|name| parameter.starts_with(name))
                })
        })
}

fn is_scheme(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// Something like a URL, with a password where one belongs, and now and then a sign in it that ought to be escaped.
fn made(source: &mut Source<'_>) -> String {
    let scheme = source.one_of(&[
        "redis",
        "rediss",
        "redis+unix",
        "unix",
        "redis-sentinel",
        "rediss-sentinel",
        "REDIS",
        "http",
    ]);
    let user = if source.flag() {
        source.text()
    } else {
        String::new()
    };
    let stray = if source.below(4) == 0 {
        source.text()
    } else {
        String::new()
    };
    // A socket's account stands in the parameters, and its path may hold an `@`.
    let account = match source.below(3) {
        _ if scheme.ends_with("unix") => String::new(),
        0 => String::new(),
        1 => format!("{user}:{stray}{PASSWORD}@"),
        _ => format!("{user}:{PASSWORD}{stray}@"),
    };
    let hosts = source.several(3, |source| {
        let host = source.one_of(&["localhost", "127.0.0.1", "[::1]", "h", "", "[", "a b"]);
        let port = source.one_of(&["", ":6379", ":0", ":99999", ":x", "]"]);
        format!("{host}{port}")
    });
    let path = if source.flag() {
        format!("/{}", source.text())
    } else {
        String::new()
    };
    let parameter = source.one_of(&[
        "pass",
        "sentinel_password",
        "db",
        "user",
        "sentinel_username",
        "other",
    ]);
    let query = match source.below(4) {
        0 => String::new(),
        1 => format!("?{parameter}={}", source.text()),
        2 => format!("?pass={stray}{PASSWORD}&sentinel_password={PASSWORD}"),
        _ => format!("?sentinel_password={stray}{PASSWORD}{stray}"),
    };
    format!("{scheme}://{account}{}{path}{query}", hosts.join(","))
}
