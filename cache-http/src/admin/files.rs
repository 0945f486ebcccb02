//! The files of the page, and what browsers are told to keep them to.
//!
//! All of it is in the program: the page asks for nothing from anywhere else, and its policy would not let it.

use axum::{
    extract::{OriginalUri, Request},
    middleware::Next,
    response::{Html, IntoResponse, Response},
    routing::{MethodRouter, get},
};
use http::{HeaderName, HeaderValue, header};

/// What stands in the page for its own address.
const BASE: &str = "./__base__/";

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Path, content type and text.
pub(super) const FILES: [(&str, &str, &str); 11] = [
    (
        "/page.css",
        "text/css; charset=utf-8",
        include_str!("page/page.css"),
    ),
    (
        "/parts.css",
        "text/css; charset=utf-8",
        include_str!("page/parts.css"),
    ),
    ("/icon.svg", "image/svg+xml", include_str!("page/icon.svg")),
    ("/main.js", SCRIPT, include_str!("page/main.js")),
    ("/board.js", SCRIPT, include_str!("page/board.js")),
    ("/panels.js", SCRIPT, include_str!("page/panels.js")),
    ("/figures.js", SCRIPT, include_str!("page/figures.js")),
    ("/charts.js", SCRIPT, include_str!("page/charts.js")),
    ("/sites.js", SCRIPT, include_str!("page/sites.js")),
    ("/actions.js", SCRIPT, include_str!("page/actions.js")),
    ("/dom.js", SCRIPT, include_str!("page/dom.js")),
];

pub(super) fn file<S: Clone + Send + Sync + 'static>(
    kind: &'static str,
    text: &'static str,
) -> MethodRouter<S> {
    get(move || async move { ([(header::CONTENT_TYPE, kind)], text).into_response() })
}

/// The page, whose links begin where it is: `…/cache` and `…/cache/` are the same page.
pub(super) async fn page(OriginalUri(uri): OriginalUri) -> Html<String> {
    let last = uri.path().rsplit('/').next().unwrap_or_default();
    let base = match last {
        "" => "./".to_owned(),
        last => format!("./{}/", in_attribute(last)),
    };
    Html(include_str!("page/page.html").replacen(BASE, &base, 1))
}

fn in_attribute(text: &str) -> String {
    let escaped = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        other => other.to_string(),
    };
    text.chars().map(escaped).collect()
}

/// On everything, the answers of the guard among it.
const HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (HeaderName::from_static("x-robots-tag"), "noindex"),
];

pub(super) async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::{BASE, FILES, in_attribute};

    #[test]
    fn the_page_asks_for_its_files_and_nothing_else() {
        let page = include_str!("page/page.html");
        assert_eq!(page.matches(BASE).count(), 1);
        for (path, ..) in FILES {
            let name = &path[1..];
            let named = |text: &str| {
                text.contains(&format!("\"{name}\"")) || text.contains(&format!("\"./{name}\""))
            };
            let users = FILES
                .iter()
                .filter(|(other, ..)| *other != path)
                .map(|it| it.2);
            assert!(
                named(page) || users.into_iter().any(named),
                "{name} is used by nothing"
            );
        }
        let elsewhere = |text: &str| {
            text.replace("http://www.w3.org/2000/svg", "")
                .contains("://")
        };
        assert!(!elsewhere(page));
        assert!(FILES.iter().all(|(.., text)| !elsewhere(text)));
    }

    #[test]
    fn an_address_stays_in_its_attribute() {
        assert_eq!(in_attribute("a\"><b&'"), "a&quot;&gt;&lt;b&amp;&#39;");
    }
}
