//! Conditional requests: those of clients, answered here, and those of this cache, by which it asks whether what it has is still good (RFC 9110, section 13; RFC 9111, section 4.3).

use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION,
        CONTENT_RANGE, CONTENT_TYPE, DATE, ETAG, EXPIRES, IF_MATCH, IF_MODIFIED_SINCE,
        IF_NONE_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED, TRAILER, TRANSFER_ENCODING, VARY,
    },
};

use super::{freshness::moment, stored::Stored};

/// What a client asks a cache to compare.
const OURS: [HeaderName; 2] = [IF_NONE_MATCH, IF_MODIFIED_SINCE];
/// What only the handler can compare.
const THEIRS: [HeaderName; 2] = [IF_MATCH, IF_UNMODIFIED_SINCE];

/// Whether the request has conditions that a cache must not answer.
pub(super) fn is_for_the_handler(headers: &HeaderMap) -> bool {
    THEIRS.iter().any(|name| headers.contains_key(name))
}

/// Takes the client's conditions off a request whose response is for others as well.
pub(super) fn unconditional(headers: &mut HeaderMap) {
    for name in &OURS {
        headers.remove(name);
    }
}

/// Asks for a response only if it is another than `stored`; whether there is anything to compare by.
pub(super) fn unless_it_is(stored: &Stored, headers: &mut HeaderMap) -> bool {
    let etag = stored.headers.get(ETAG).filter(|_| !stored.own_etag);
    let fields = [
        (IF_NONE_MATCH, etag),
        (IF_MODIFIED_SINCE, stored.headers.get(LAST_MODIFIED)),
    ];
    let mut asks = false;
    for (name, value) in fields {
        if let Some(value) = value.filter(|_| stored.status == StatusCode::OK) {
            headers.insert(name, value.clone());
            asks = true;
        }
    }
    asks
}

/// Whether the client, who sent these fields, has the response with those.
pub(super) fn client_has(asked: &HeaderMap, status: StatusCode, response: &HeaderMap) -> bool {
    if status != StatusCode::OK {
        return false;
    }
    // Where both are there, the date is not looked at.
    if asked.contains_key(IF_NONE_MATCH) {
        let Some(etag) = response.get(ETAG).map(HeaderValue::as_bytes) else {
            return false;
        };
        let mut lines = asked.get_all(IF_NONE_MATCH).iter();
        return lines.any(|line| names(line.as_bytes(), etag));
    }
    let date = |headers: &HeaderMap, name| {
        let text = headers.get(name)?.to_str().ok()?;
        moment(text)
    };
    let since = date(asked, IF_MODIFIED_SINCE);
    let modified = date(response, LAST_MODIFIED);
    matches!((since, modified), (Some(since), Some(modified)) if modified <= since)
}

/// Whether a line of `If-None-Match` names an entity tag, by the weak comparison.
fn names(line: &[u8], etag: &[u8]) -> bool {
    let etag = etag.strip_prefix(b"W/").unwrap_or(etag);
    let mut rest = line.trim_ascii();
    if rest == b"*" {
        return true;
    }
    while !rest.is_empty() {
        rest = rest.strip_prefix(b"W/").unwrap_or(rest);
        let Some(opaque) = rest.strip_prefix(b"\"") else {
            return false;
        };
        let Some(end) = opaque.iter().position(|byte| *byte == b'"') else {
            return false;
        };
        if rest[..end + 2] == *etag {
            return true;
        }
        rest = opaque[end + 1..].trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest).trim_ascii_start();
    }
    false
}

/// What a 304 has of the headers of the response it stands for (RFC 9110, section 15.4.5).
pub(super) fn of_not_modified(headers: &HeaderMap) -> HeaderMap {
    let kept = [
        CACHE_CONTROL,
        CONTENT_LOCATION,
        DATE,
        ETAG,
        EXPIRES,
        LAST_MODIFIED,
        VARY,
    ];
    let mut left = HeaderMap::new();
    for name in kept {
        for value in headers.get_all(&name) {
            left.append(name.clone(), value.clone());
        }
    }
    left
}

/// Makes the headers of a response that nobody has kept those of the 304 in its place: without what describes the body, and with all the rest, which is told
/// nowhere else (`Set-Cookie`).
pub(super) fn leave_out_the_body(headers: &mut HeaderMap) {
    let body = [
        CONTENT_ENCODING,
        CONTENT_LANGUAGE,
        CONTENT_LENGTH,
        CONTENT_RANGE,
        CONTENT_TYPE,
        TRAILER,
        TRANSFER_ENCODING,
    ];
    for name in body {
        headers.remove(name);
    }
}

/// A strong entity tag for a body, in the coding it is in. 128 bits: two bodies of one tag are out of reach.
pub(super) fn etag(body: &[u8], headers: &HeaderMap) -> HeaderValue {
    let mut digest = blake3::Hasher::new();
    for coding in headers.get_all(CONTENT_ENCODING) {
        digest.update(coding.as_bytes()).update(b",");
    }
    digest.update(b"\n").update(body);
    let text = format!("\"{}\"", &digest.finalize().to_hex()[..32]);
    HeaderValue::try_from(text).expect("hexadecimal digits in quotes are a value")
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::{client_has, etag, of_not_modified};
    use crate::response::fields::headers;

    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const LATER: &str = "Mon, 07 Nov 1994 08:49:37 GMT";

    #[test]
    fn entity_tags_are_compared_weakly_and_come_before_dates() {
        let response = headers(&[("etag", "\"a,b\""), ("last-modified", LATER)]);
        let has = |fields: &[_]| client_has(&headers(fields), StatusCode::OK, &response);
        assert!(has(&[("if-none-match", "\"a,b\"")]));
        assert!(has(&[("if-none-match", "W/\"x\", W/\"a,b\"")]));
        assert!(has(&[
            ("if-none-match", "\"x\""),
            ("if-none-match", "\"a,b\"")
        ]));
        assert!(has(&[("if-none-match", " * ")]));
        for other in ["\"a\"", "a,b", "\"a,b", "", "\"A,B\"", "w/\"a,b\""] {
            assert!(!has(&[("if-none-match", other)]), "{other}");
        }
        assert!(!has(&[
            ("if-none-match", "\"x\""),
            ("if-modified-since", LATER)
        ]));
        let weak = headers(&[("etag", "W/\"1\"")]);
        assert!(client_has(
            &headers(&[("if-none-match", "\"1\"")]),
            StatusCode::OK,
            &weak
        ));
        assert!(!client_has(
            &headers(&[("if-none-match", "*")]),
            StatusCode::OK,
            &HeaderMap::new()
        ));
    }

    #[test]
    fn dates_are_compared_where_both_are_dates() {
        let response = headers(&[("last-modified", EARLIER)]);
        let has = |since| {
            client_has(
                &headers(&[("if-modified-since", since)]),
                StatusCode::OK,
                &response,
            )
        };
        assert!(has(LATER) && has(EARLIER));
        assert!(!has("Sat, 05 Nov 1994 08:49:37 GMT") && !has("yesterday"));
        assert!(!client_has(
            &headers(&[("if-modified-since", LATER)]),
            StatusCode::OK,
            &HeaderMap::new()
        ));
        assert!(!client_has(&headers(&[]), StatusCode::OK, &response));
        let missing = client_has(
            &headers(&[("if-modified-since", LATER)]),
            StatusCode::NOT_FOUND,
            &response,
        );
        assert!(!missing);
    }

    #[test]
    fn a_304_tells_what_caches_need() {
        let left = of_not_modified(&headers(&[
            ("etag", "\"1\""),
            ("vary", "a"),
            ("vary", "b"),
            ("content-type", "text/html"),
            ("x-a", "1"),
        ]));
        assert_eq!(left.get_all("vary").iter().count(), 2);
        assert!(
            left.contains_key("etag")
                && !left.contains_key("content-type")
                && !left.contains_key("x-a")
        );
    }

    #[test]
    fn bodies_and_codings_have_tags_of_their_own() {
        let plain = etag(b"a", &HeaderMap::new());
        assert_eq!(plain.len(), 34);
        assert_ne!(plain, etag(b"b", &HeaderMap::new()));
        assert_ne!(plain, etag(b"a", &headers(&[("content-encoding", "gzip")])));
    }
}
