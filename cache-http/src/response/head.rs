//! What becomes of the header fields of a response on their way into the cache and out of it.

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        AGE, CONNECTION, CONTENT_LENGTH, DATE, ETAG, PROXY_AUTHENTICATE, TE, TRAILER,
        TRANSFER_ENCODING, UPGRADE, VARY,
    },
};

use super::{conditional, freshness, report::CACHE_STATUS};

/// Fields of a connection and not of a message (RFC 9111, section 3.1; RFC 9110, section 7.6.1).
const OF_A_CONNECTION: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("proxy-authentication-info"),
    PROXY_AUTHENTICATE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Leaves what is stored: no field of a connection, none that is told anew each time; with the date it came at, where it has none.
pub(super) fn keep(headers: &mut HeaderMap, came: u64) {
    let named: Vec<_> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect();
    let told = [AGE, CACHE_STATUS, CONTENT_LENGTH];
    for name in OF_A_CONNECTION.into_iter().chain(named).chain(told) {
        headers.remove(name);
    }
    if !headers.contains_key(DATE) {
        let date = HeaderValue::try_from(freshness::date(came));
        headers.insert(DATE, date.expect("a date is a value"));
    }
}

/// Puts the length of a whole body among its headers, for those who do not see the body.
pub(super) fn measure(headers: &mut HeaderMap, length: usize) {
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
}

/// Gives a whole body an entity tag, if it has none; whether it did.
pub(super) fn tag_body(headers: &mut HeaderMap, status: StatusCode, body: &[u8]) -> bool {
    let wanted = status == StatusCode::OK && !headers.contains_key(ETAG);
    if wanted {
        let etag = conditional::etag(body, headers);
        headers.insert(ETAG, etag);
    }
    wanted
}

/// Whether the length that was announced is not the one that came.
pub(super) fn is_cut_short(headers: &HeaderMap, length: usize) -> bool {
    let announced = headers.get_all(CONTENT_LENGTH).iter();
    let is_other =
        |value: &HeaderValue| value.to_str().ok().and_then(|it| it.parse().ok()) != Some(length);
    announced.into_iter().any(is_other)
}

/// Takes the tags that a handler has named out of a response.
pub(super) fn take_tags(headers: &mut HeaderMap, name: Option<&HeaderName>) -> Vec<String> {
    let Some(name) = name else {
        return Vec::new();
    };
    let lines = headers.get_all(name).iter();
    let tags = lines
        .filter_map(|line| std::str::from_utf8(line.as_bytes()).ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect();
    headers.remove(name);
    tags
}

/// Tells other caches what this one tells responses apart by.
pub(super) fn vary_by(headers: &mut HeaderMap, names: &[HeaderName]) {
    let said: Vec<_> = headers
        .get_all(VARY)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    for name in names
        .iter()
        .filter(|name| !said.iter().any(|it| it == name.as_str()))
    {
        headers.append(VARY, HeaderValue::from_name(name.clone()));
    }
}

/// What a 304 changes about the response it confirms (RFC 9111, section 3.2): every field it has, but for those that describe the body.
pub(super) fn freshen(stored: &mut HeaderMap, by: &HeaderMap) {
    let body = [
        "content-encoding",
        "content-length",
        "content-range",
        "content-type",
    ];
    let names = by.keys().filter(|name| !body.contains(&name.as_str()));
    for name in names {
        stored.remove(name);
        for value in by.get_all(name) {
            stored.append(name.clone(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, StatusCode};

    use super::{freshen, is_cut_short, keep, tag_body, take_tags, vary_by};
    use crate::response::fields::headers;

    #[test]
    fn what_belongs_to_a_connection_is_not_kept() {
        let mut kept = headers(&[
            ("connection", "X-Hop, close"),
            ("x-hop", "1"),
            ("keep-alive", "5"),
            ("te", "x"),
            ("transfer-encoding", "chunked"),
            ("age", "5"),
            ("cache-status", "up; hit"),
            ("x-a", "1"),
            ("x-a", "2"),
        ]);
        keep(&mut kept, 784_111_777_000);
        assert_eq!(kept.get_all("x-a").iter().count(), 2);
        assert_eq!(kept["date"], "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(kept.len(), 3, "{kept:?}");
    }

    #[test]
    fn tags_are_taken_out() {
        let mut response = headers(&[("cache-tag", "a, b:c ,,"), ("cache-tag", "d"), ("x", "1")]);
        let tags = take_tags(&mut response, Some(&HeaderName::from_static("cache-tag")));
        assert_eq!(tags, ["a", "b:c", "d"]);
        assert_eq!(response.len(), 1);
    }

    #[test]
    fn vary_names_each_field_once() {
        let mut response = headers(&[("vary", "Accept")]);
        let names = ["accept", "x-a"].map(HeaderName::from_static);
        vary_by(&mut response, &names);
        let lines: Vec<_> = response.get_all("vary").iter().collect();
        assert_eq!(lines, ["Accept", "x-a"]);
    }

    #[test]
    fn a_304_changes_all_but_the_body() {
        let mut stored = headers(&[
            ("etag", "\"1\""),
            ("x-a", "1"),
            ("x-a", "2"),
            ("content-type", "a/b"),
        ]);
        freshen(
            &mut stored,
            &headers(&[
                ("x-a", "3"),
                ("content-type", "c/d"),
                ("content-length", "0"),
            ]),
        );
        assert_eq!(
            stored,
            headers(&[("etag", "\"1\""), ("x-a", "3"), ("content-type", "a/b")])
        );
    }

    #[test]
    fn lengths_and_tags_are_those_of_the_body() {
        assert!(!is_cut_short(&headers(&[]), 3));
        assert!(!is_cut_short(&headers(&[("content-length", "3")]), 3));
        assert!(is_cut_short(&headers(&[("content-length", "4")]), 3));
        assert!(is_cut_short(&headers(&[("content-length", "x")]), 3));
        let mut response = headers(&[]);
        assert!(!tag_body(&mut response, StatusCode::NOT_FOUND, b"x"));
        assert!(tag_body(&mut response, StatusCode::OK, b"x"));
        assert!(!tag_body(&mut response, StatusCode::OK, b"y"));
    }
}
