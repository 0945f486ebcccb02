//! Under which key a response is stored.
//!
//! **Problem.** Two requests that may be answered differently must never share an entry, whoever chooses their bytes; and somebody who changes a product has to be able to say which responses
//! are old now.
//!
//! **Decision.** The key is method, host, path and query, each a segment of a key as `key!` makes it: nothing in a request can end a segment or reach another. So it can be read, matched by a pattern, and lies in the region
//! `http`. What else tells requests apart (header fields that are named, those of `Vary`, whether somebody has shown who he is) is one more segment, names and values together. A query is sorted by its names and keeps the
//! order of what has one name; of percent-encodings only those become one that RFC 3986, section 6.2.2, calls equivalent.

use std::{borrow::Cow, collections::BTreeMap};

use cache_runtime::{Key, key};
use http::{
    HeaderMap, HeaderName, HeaderValue, Uri,
    header::{AUTHORIZATION, COOKIE, HOST, PROXY_AUTHORIZATION},
    request::Parts,
};

/// Which parts of the query a response depends on; see [`ResponseCache::query`](super::ResponseCache::query).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Rule);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Rule {
    #[default]
    All,
    Only(Vec<String>),
    Without(Vec<String>),
}

impl Query {
    /// All of it; the default.
    #[must_use]
    pub fn all() -> Self {
        Self(Rule::All)
    }

    /// On the parameters of these names alone. A name is as it stands in the query, percent-encoded where it is.
    #[must_use]
    pub fn only<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        Self(Rule::Only(names.into_iter().map(Into::into).collect()))
    }

    /// On all but the parameters of these names: what links are decorated with, such as `utm_source`.
    #[must_use]
    pub fn without<T: Into<String>>(names: impl IntoIterator<Item = T>) -> Self {
        Self(Rule::Without(names.into_iter().map(Into::into).collect()))
    }

    fn takes(&self, name: &str) -> bool {
        match &self.0 {
            Rule::All => true,
            Rule::Only(names) => names.iter().any(|it| it == name),
            Rule::Without(names) => !names.iter().any(|it| it == name),
        }
    }

    /// The query as it stands in a key.
    fn normalized(&self, query: &str) -> String {
        let mut parameters: Vec<_> = query
            .split('&')
            .filter_map(|parameter| {
                let parameter = normalized(parameter);
                let name = parameter.split('=').next().unwrap_or_default();
                self.takes(name).then_some(parameter)
            })
            .collect();
        // Stable: what has one name keeps its order.
        parameters.sort_by(|one, other| name_of(one).cmp(name_of(other)));
        parameters.join("&")
    }
}

fn name_of(parameter: &str) -> &str {
    parameter.split('=').next().unwrap_or_default()
}

/// What a request asks for, whatever the header fields say that choose among its responses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    host: Option<String>,
    pub(super) path: String,
    query: Option<String>,
}

impl Resource {
    /// `None` if it does not say, or says two things, of what host.
    pub(super) fn of(head: &Parts, by_host: bool, query: &Query) -> Option<Self> {
        let host = match by_host {
            true => Some(host(head)?),
            false => None,
        };
        let uri = original(head);
        Some(Self {
            host,
            path: normalized(uri.path()).into_owned(),
            query: uri.query().map(|it| query.normalized(it)),
        })
    }

    /// The key of the response that these choices lead to.
    pub(super) fn key(&self, choices: &Choices) -> Key {
        let method = "GET";
        let Self { host, path, query } = self;
        if choices.is_empty() {
            return key!("http:{method}:{host}:{path}:{query}");
        }
        key!("http:{method}:{host}:{path}:{query}:{choices}")
    }
}

/// The tag of all responses of a path.
pub(super) fn path_tag(path: &str) -> String {
    format!("http:{}", normalized(path))
}

/// The path that a client asked for.
pub(super) fn original_path(head: &Parts) -> String {
    original(head).path().to_owned()
}

/// The URI before a router took the prefix of a nested one off it.
#[cfg(feature = "axum")]
fn original(head: &Parts) -> &Uri {
    let original = head.extensions.get::<axum::extract::OriginalUri>();
    original.map_or(&head.uri, |original| &original.0)
}

#[cfg(not(feature = "axum"))]
fn original(head: &Parts) -> &Uri {
    &head.uri
}

/// The authority that a request names, in lower case. One that names two different ones may be answered for either.
pub(super) fn host(head: &Parts) -> Option<String> {
    let mut named = head.headers.get_all(HOST).iter();
    let field = match named.next() {
        Some(value) => Some(value.to_str().ok()?.to_ascii_lowercase()),
        None => None,
    };
    if named.next().is_some() {
        return None;
    }
    let authority = head
        .uri
        .authority()
        .map(|it| it.as_str().to_ascii_lowercase());
    match (authority, field) {
        (Some(authority), Some(field)) if authority != field => None,
        (authority, field) => authority.or(field),
    }
}

/// What tells the requests for one resource apart: names of header fields with their values.
pub(super) type Choices = BTreeMap<String, Vec<String>>;

/// Under this name, which no header field has, stands by what somebody has shown who he is.
const CREDENTIALS: &str = "@";

/// The choices by these header fields; a field that is not there has no values. What a response has to say to be stored depends on the fields by which somebody shows who he is, so
/// who shows one of them is never answered with what was stored for another (`by`: those that count).
pub(super) fn choices<'n>(
    names: impl IntoIterator<Item = &'n HeaderName>,
    headers: &HeaderMap,
    by: &[HeaderName],
) -> Choices {
    let of = |name: &HeaderName| (name.as_str().to_owned(), values(headers, name));
    let mut choices: Choices = names.into_iter().map(of).collect();
    if !by.is_empty() {
        let by = by.iter().map(|name| name.as_str().to_owned());
        choices.insert(CREDENTIALS.to_owned(), by.collect());
    }
    choices
}

/// The values of a field, a character for each byte: any bytes at all, and no two alike. What shows who somebody is stands in no key and in no entry: its digest does.
pub(super) fn values(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let is_secret = SECRET.contains(name);
    let text = |value: &HeaderValue| match is_secret {
        true => format!("#{}", &blake3::hash(value.as_bytes()).to_hex()[..32]),
        false => value
            .as_bytes()
            .iter()
            .map(|byte| char::from(*byte))
            .collect(),
    };
    headers.get_all(name).iter().map(text).collect()
}

const SECRET: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// Percent-encodings in capitals, and none of what need not be encoded. What is no percent-encoding stays.
fn normalized(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let digits = rest.get(at + 1..at + 3);
        let digits = digits.filter(|it| it.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(digits) = digits else {
            out.push('%');
            rest = &rest[at + 1..];
            continue;
        };
        match u8::from_str_radix(digits, 16).map(char::from) {
            Ok(c) if c.is_ascii_alphanumeric() || "-._~".contains(c) => out.push(c),
            _ => {
                out.push('%');
                out.push_str(&digits.to_ascii_uppercase());
            }
        }
        rest = &rest[at + 3..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use cache_runtime::Key;
    use http::{
        HeaderName, HeaderValue, Request,
        header::{ACCEPT, COOKIE},
        request::Parts,
    };
    use proptest::prelude::*;

    use super::{Choices, Query, Resource, choices, path_tag};

    fn head(uri: &str, fields: &[(&str, &[u8])]) -> Parts {
        let mut request = Request::get(uri);
        for (name, value) in fields {
            request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
        }
        request.body(()).unwrap().into_parts().0
    }

    fn resource(uri: &str) -> Resource {
        Resource::of(
            &head(uri, &[("host", b"Shop.example")]),
            true,
            &Query::all(),
        )
        .unwrap()
    }

    fn key(uri: &str) -> String {
        resource(uri).key(&Choices::new()).as_str().to_owned()
    }

    #[test]
    fn a_key_can_be_read() {
        assert_eq!(
            key("/api/products?page=2"),
            "http:GET:shop.example:/api/products:page%3D2"
        );
        let head = head("/a", &[("host", b"h"), ("accept", b"text/html")]);
        let accepts = choices(
            &[ACCEPT, HeaderName::from_static("x-a")],
            &head.headers,
            &[COOKIE],
        );
        let key = resource("/a").key(&accepts);
        assert!(
            key.as_str().starts_with("http:GET:shop.example:/a:"),
            "{key}"
        );
        assert!(key.as_str().contains("text/html"), "{key}");
        assert_eq!(path_tag("/%7Ea"), "http:/~a");
    }

    #[test]
    fn what_is_equivalent_is_one_key() {
        for (one, other) in [
            ("/a?b=1&a=2", "/a?a=2&b=1"),
            ("/%7euser", "/~user"),
            ("/a?x=%2f", "/a?x=%2F"),
        ] {
            assert_eq!(key(one), key(other), "{one} {other}");
        }
    }

    #[test]
    fn what_may_differ_is_another_key() {
        for (one, other) in [
            ("/a", "/a?"),
            ("/a", "/a/"),
            ("/a", "/A"),
            ("/a?b", "/a?b="),
            ("/a?b=1&b=2", "/a?b=2&b=1"),
            ("/a%2Fb", "/a/b"),
            ("/a?b=%26c", "/a?b=&c"),
            ("/a?b=+", "/a?b=%20"),
            ("/a?b=%zz", "/a?b=%ZZ"),
            ("/a//b", "/a/b"),
            ("/a?b=1", "/a:b%3D1"),
        ] {
            assert_ne!(key(one), key(other), "{one} {other}");
        }
    }

    #[test]
    fn what_shows_who_somebody_is_stands_in_no_key() {
        let of = |value: &[u8]| {
            let head = head("/a", &[("cookie", value)]);
            let key = resource("/a").key(&choices(&[COOKIE], &head.headers, &[COOKIE]));
            key.as_str().to_owned()
        };
        assert!(!of(b"session=1").contains("session"));
        assert_ne!(of(b"session=1"), of(b"session=2"));
    }

    #[test]
    fn a_host_is_one_or_none() {
        let host = |uri: &str, fields: &[(&str, &[u8])]| {
            let resource = Resource::of(&head(uri, fields), true, &Query::all());
            resource.map(|it| it.host.unwrap())
        };
        assert_eq!(
            host("http://A.example/x", &[]).as_deref(),
            Some("a.example")
        );
        assert_eq!(
            host("http://a.example/x", &[("host", b"A.EXAMPLE")]).as_deref(),
            Some("a.example")
        );
        assert_eq!(host("/x", &[("host", b"a:80")]).as_deref(), Some("a:80"));
        assert_eq!(host("/x", &[]), None);
        assert_eq!(host("/x", &[("host", b"a"), ("host", b"b")]), None);
        assert_eq!(host("/x", &[("host", b"\xff")]), None);
        assert_eq!(host("http://a/x", &[("host", b"b")]), None);
        let without = Resource::of(&head("/x", &[]), false, &Query::all());
        assert_eq!(without.unwrap().host, None);
    }

    #[test]
    fn a_rule_chooses_parameters() {
        let normalized = |rule: Query, query| rule.normalized(query);
        let query = "utm_source=x&page=2&sort=name&page=1";
        assert_eq!(normalized(Query::only(["page"]), query), "page=2&page=1");
        assert_eq!(
            normalized(Query::without(["utm_source"]), query),
            "page=2&page=1&sort=name"
        );
        assert_eq!(
            normalized(Query::without(["utm_source"]), "utm%5Fsource=x"),
            ""
        );
    }

    fn key_of(path: &str, query: &str, host: &str, fields: &[(String, String)]) -> Key {
        let resource = Resource {
            host: Some(host.to_owned()),
            path: path.to_owned(),
            query: (!query.is_empty()).then(|| query.to_owned()),
        };
        let choices = fields
            .iter()
            .map(|(name, value)| (name.clone(), vec![value.clone()]));
        resource.key(&choices.collect())
    }

    #[derive(Clone, Debug, PartialEq)]
    struct Asked {
        path: String,
        query: String,
        host: String,
        fields: BTreeMap<String, String>,
    }

    impl Asked {
        fn key(&self) -> Key {
            let fields: Vec<_> = self.fields.clone().into_iter().collect();
            key_of(&self.path, &self.query, &self.host, &fields)
        }
    }

    /// Few characters, all of which mean something to somebody: so that what could be taken for another is met.
    fn request() -> impl Strategy<Value = Asked> {
        let text = || "[a:,~'%#()]{0,2}";
        let fields = proptest::collection::btree_map(text(), text(), 0..2);
        (text(), text(), text(), fields).prop_map(|(path, query, host, fields)| Asked {
            path,
            query,
            host,
            fields,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn different_requests_have_different_keys(one in request(), other in request()) {
            let (same, keys) = (one == other, one.key() == other.key());
            prop_assert_eq!(same, keys, "{:?} {:?}", one, other);
        }

        #[test]
        fn parts_cannot_be_moved_from_one_segment_to_another(text in "[a:/?&=%~'#]{0,12}", at in 0_usize..12) {
            let at = at.min(text.len());
            let (left, right) = text.split_at(at);
            let moved = key_of(&text, "", "h", &[]) == key_of(left, right, "h", &[]);
            prop_assert_eq!(moved, right.is_empty());
            let moved = key_of(&text, "", "h", &[]) == key_of(right, "", left, &[]);
            prop_assert_eq!(moved, left == "h" && right == text);
        }
    }
}
