//! A response as it is kept: behind one reference count in memory, as JSON in Redis.
//!
//! Bodies that are text stay text in JSON, which costs nothing but the escapes; others are in base 64, in a list of one. So are header values that are no text.

use std::{collections::BTreeMap, fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, SeqAccess, Visitor},
};

use super::storable::Staleness;

/// What the cache has under a key of this layer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Entry {
    #[serde(rename = "r")]
    Response(Arc<Stored>),
    /// What a load brought that is not to be stored: those who waited for it ask for themselves. Never in a tier.
    #[serde(skip)]
    Pass(Old),
}

/// What becomes of what was stored, where its successor is not to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Old {
    /// The handler failed: the old response is still the best there is.
    Stays,
    /// There is a new one, and it is not for everybody.
    Goes,
}

/// A response, and what has to be known to use it again. Times are milliseconds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Stored {
    #[serde(rename = "s", with = "status")]
    pub(super) status: StatusCode,
    /// As they are served, but for those that say how it was served.
    #[serde(rename = "h", with = "headers")]
    pub(super) headers: HeaderMap,
    #[serde(rename = "b", with = "octets")]
    pub(super) body: Bytes,
    /// When it came, since 1970.
    #[serde(rename = "c")]
    pub(super) came: u64,
    /// How old it was then.
    #[serde(rename = "a")]
    pub(super) age: u64,
    /// From its making.
    #[serde(rename = "l")]
    pub(super) lifetime: u64,
    #[serde(rename = "x", with = "staleness")]
    pub(super) stale: Staleness,
    /// The values, in the request it answered, of the fields that its `Vary` names.
    #[serde(rename = "v", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) vary: BTreeMap<String, Vec<String>>,
    /// Those that its handler has named.
    #[serde(rename = "t", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    /// Its `ETag` is the digest of its body, of which the handler knows nothing.
    #[serde(rename = "e", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) own_etag: bool,
}

impl Stored {
    /// Its age at a moment.
    pub(super) fn age_at(&self, now: u64) -> u64 {
        self.age.saturating_add(now.saturating_sub(self.came))
    }

    /// Whether its `Vary` chooses it for a request with these header fields.
    pub(super) fn is_for(&self, headers: &HeaderMap) -> bool {
        self.vary.iter().all(|(name, values)| {
            let name = HeaderName::from_bytes(name.as_bytes());
            name.is_ok_and(|name| super::key::values(headers, &name) == *values)
        })
    }

    /// The fields that its `Vary` names.
    pub(super) fn varies_by(&self) -> impl Iterator<Item = HeaderName> {
        let names = self.vary.keys();
        names.filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
    }
}

mod status {
    use super::{Deserialize, Deserializer, Serializer, StatusCode};

    pub(super) fn serialize<S: Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u16(status.as_u16())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<StatusCode, D::Error> {
        let code = u16::deserialize(from)?;
        StatusCode::from_u16(code).map_err(serde::de::Error::custom)
    }
}

mod staleness {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Staleness};

    type Form = (bool, Option<u64>, Option<u64>);

    pub(super) fn serialize<S: Serializer>(stale: &Staleness, to: S) -> Result<S::Ok, S::Error> {
        let form: Form = (stale.never, stale.while_revalidate, stale.if_error);
        form.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Staleness, D::Error> {
        let (never, while_revalidate, if_error) = Form::deserialize(from)?;
        Ok(Staleness {
            never,
            while_revalidate,
            if_error,
        })
    }
}

mod headers {
    use super::{
        Deserialize, Deserializer, HeaderMap, HeaderName, HeaderValue, Octets, Serializer,
    };
    use serde::{de::Error, ser::SerializeSeq};

    pub(super) fn serialize<S: Serializer>(headers: &HeaderMap, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(Some(headers.len()))?;
        for (name, value) in headers {
            list.serialize_element(&(name.as_str(), Octets(value.as_bytes())))?;
        }
        list.end()
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<HeaderMap, D::Error> {
        let fields = Vec::<(String, super::Owned)>::deserialize(from)?;
        let field = |(name, value): (String, super::Owned)| {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(D::Error::custom)?;
            let value = HeaderValue::from_maybe_shared(value.0).map_err(D::Error::custom)?;
            Ok((name, value))
        };
        let mut headers = HeaderMap::with_capacity(fields.len());
        for (name, value) in fields
            .into_iter()
            .map(field)
            .collect::<Result<Vec<_>, _>>()?
        {
            headers.append(name, value);
        }
        Ok(headers)
    }
}

mod octets {
    use super::{Bytes, Deserialize, Deserializer, Octets, Owned, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        Octets(bytes).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        Owned::deserialize(from).map(|owned| owned.0)
    }
}

/// Bytes: a text, or a list of one text in base 64.
struct Octets<'b>(&'b [u8]);

impl Serialize for Octets<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(self.0) {
            Ok(text) => to.serialize_str(text),
            Err(_) => [BASE64.encode(self.0)].serialize(to),
        }
    }
}

struct Owned(Bytes);

impl<'de> Deserialize<'de> for Owned {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OwnedVisitor)
    }
}

struct OwnedVisitor;

impl<'de> Visitor<'de> for OwnedVisitor {
    type Value = Owned;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or a list of one text in base 64")
    }

    fn visit_str<E>(self, text: &str) -> Result<Owned, E> {
        Ok(Owned(Bytes::copy_from_slice(text.as_bytes())))
    }

    fn visit_string<E>(self, text: String) -> Result<Owned, E> {
        Ok(Owned(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Owned, A::Error> {
        let encoded: String = list
            .next_element()?
            .ok_or_else(|| A::Error::custom("the list is empty"))?;
        let bytes = BASE64.decode(encoded).map_err(A::Error::custom)?;
        Ok(Owned(bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, StatusCode, header::ACCEPT};
    use proptest::prelude::*;

    use super::{Entry, Staleness, Stored};

    fn stored(body: Vec<u8>, values: &[Vec<u8>]) -> Stored {
        let mut headers = HeaderMap::new();
        for value in values {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.append("x-any", value);
            }
        }
        Stored {
            status: StatusCode::NOT_FOUND,
            headers,
            body: Bytes::from(body),
            came: 1_700_000_000_000,
            age: 3,
            lifetime: 60_000,
            stale: Staleness {
                never: true,
                while_revalidate: None,
                if_error: Some(0),
            },
            vary: BTreeMap::from([("accept".to_owned(), vec!["\u{ff}".to_owned()])]),
            tags: vec!["http:/a".to_owned()],
            own_etag: true,
        }
    }

    fn again(stored: Stored) -> Stored {
        let text = serde_json::to_vec(&Entry::Response(Arc::new(stored))).unwrap();
        match serde_json::from_slice(&text).unwrap() {
            Entry::Response(stored) => Arc::into_inner(stored).unwrap(),
            Entry::Pass(_) => panic!("it was a response"),
        }
    }

    #[test]
    fn text_stays_text() {
        let text = serde_json::to_string(&stored(b"{\"a\":1}".to_vec(), &[])).unwrap();
        assert!(text.contains(r#""b":"{\"a\":1}""#), "{text}");
        let bytes = serde_json::to_string(&stored(vec![0xff], &[])).unwrap();
        assert!(bytes.contains(r#""b":["/w=="]"#), "{bytes}");
    }

    #[test]
    fn it_is_chosen_by_the_values_it_was_made_for() {
        let stored = stored(Vec::new(), &[]);
        let mut headers = HeaderMap::new();
        assert!(!stored.is_for(&headers));
        headers.insert(ACCEPT, HeaderValue::from_bytes(b"\xff").unwrap());
        assert!(stored.is_for(&headers));
        headers.append(ACCEPT, HeaderValue::from_static("x"));
        assert!(!stored.is_for(&headers));
    }

    #[test]
    fn what_is_not_to_be_stored_cannot_be() {
        assert!(serde_json::to_vec(&Entry::Pass(super::Old::Goes)).is_err());
        assert!(serde_json::from_str::<Entry>(r#"{"r":{"s":7}}"#).is_err());
    }

    proptest! {
        #[test]
        fn it_comes_back_as_it_was(body: Vec<u8>, values: Vec<Vec<u8>>) {
            let before = stored(body.clone(), &values);
            let expected = format!("{before:?}");
            prop_assert_eq!(format!("{:?}", again(before)), expected);
        }
    }
}
