//! Only the page's own requests change something.
//!
//! **Problem.** A browser sends what it authenticates with (a cookie, the password of basic authentication) with every request to the service, also with
//! one that a page of somebody else makes it send.
//!
//! **Decision.** What changes something is a `POST` with a JSON body and a header of its own. No form can send either, and a script of another origin
//! only after a preflight that the router does not answer. Beside it, where the browser says where the request comes from
//! (`Sec-Fetch-Site`, or `Origin` where the connection is not secure), that is this origin.

use http::{
    HeaderMap, HeaderName,
    header::{CONTENT_TYPE, HOST, ORIGIN},
};

/// The header; its value does not matter.
pub(super) const OWN: HeaderName = HeaderName::from_static("x-cache-admin");

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a request that changes something is refused, if it is.
pub(super) fn refusal(headers: &HeaderMap) -> Option<&'static str> {
    if !is_json(headers) {
        return Some("say what to do in JSON (`Content-Type: application/json`)");
    }
    if !headers.contains_key(OWN) {
        return Some("send the header `X-Cache-Admin: 1`: no page of another origin can");
    }
    (!is_same_origin(headers)).then_some("the request comes from a page of another origin")
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = text.and_then(|text| text.split(';').next());
    essence.is_some_and(|it| it.trim().eq_ignore_ascii_case("application/json"))
}

/// Whether it comes from this origin, or from no browser.
fn is_same_origin(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(SITE) {
        return site == "same-origin";
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    // The scheme is not known here: TLS may have ended before.
    let text = |value: &http::HeaderValue| value.to_str().ok().map(str::to_owned);
    let origin = text(origin).and_then(|it| Some(it.split_once("://")?.1.to_owned()));
    let host = headers.get(HOST).and_then(text);
    matches!((origin, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(&host))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::refusal;

    const OWN: [(&str, &str); 3] = [
        ("content-type", "application/json; charset=utf-8"),
        ("x-cache-admin", "1"),
        ("host", "shop.example:8080"),
    ];

    fn is_refused(more: &[(&'static str, &'static str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in OWN.iter().chain(more) {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        refusal(&headers).is_some()
    }

    #[test]
    fn the_page_itself_and_programs_may() {
        assert!(!is_refused(&[]));
        assert!(!is_refused(&[("sec-fetch-site", "same-origin")]));
        assert!(!is_refused(&[("origin", "http://shop.example:8080")]));
        // Behind a proxy that names another host the browser's own word counts.
        let behind = [
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://shop.example"),
        ];
        assert!(!is_refused(&behind));
    }

    #[test]
    fn what_others_can_make_a_browser_send_is_refused() {
        for from in ["cross-site", "same-site", "none"] {
            assert!(is_refused(&[("sec-fetch-site", from)]), "{from}");
        }
        for origin in ["https://evil.example", "http://shop.example", "null"] {
            assert!(is_refused(&[("origin", origin)]), "{origin}");
        }
        for form in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonp",
        ] {
            assert!(is_refused(&[("content-type", form)]), "{form}");
        }
        let mut bare = HeaderMap::new();
        bare.insert("content-type", HeaderValue::from_static("application/json"));
        assert!(refusal(&bare).is_some());
    }
}
