//! Header fields, for the tests of this folder.

use http::{HeaderMap, HeaderName, HeaderValue};

pub(super) fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&'static str, &str)| {
        let value = HeaderValue::from_str(value).expect("a test names what can be a value");
        (HeaderName::from_static(name), value)
    };
    fields.iter().map(field).collect()
}
