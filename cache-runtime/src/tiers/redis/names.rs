//! The keys of one logical key in Redis.
//!
//! `NAME:{KEY}`, `NAME:{KEY}:lease`, `NAME:{KEY}:hold`: the logical key is the hash tag, so the three
//! share a slot. An empty tag would not be one (Redis Cluster hashes the whole key then), so the empty
//! key is written `%`, which no encoded key is. An encoded key holds no brace.

/// What is kept under a logical key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Value,
    Lease,
}

impl Part {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Value => "}",
            Self::Lease => "}:lease",
        }
    }
}

const EMPTY: &str = "%";

/// Makes and reads the keys of one cache.
#[derive(Debug)]
pub(super) struct Names {
    name: Box<str>,
}

impl Names {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into() }
    }

    pub(super) fn cache(&self) -> &str {
        &self.name
    }

    pub(super) fn value(&self, key: &str) -> String {
        self.with(key, "}")
    }

    pub(super) fn lease(&self, key: &str) -> String {
        self.with(key, "}:lease")
    }

    pub(super) fn hold(&self, key: &str) -> String {
        self.with(key, "}:hold")
    }

    /// A key under the cache's prefix that no entry can have; never written.
    pub(super) fn probe(&self) -> String {
        format!("{}:#probe", self.name)
    }

    /// A server-side match for one part of the keys a glob over logical keys can mean.
    ///
    /// The name is of characters that mean nothing to a glob.
    pub(super) fn glob(&self, part: Part, keys: &str) -> String {
        self.with(keys, part.suffix())
    }

    /// The logical key, if this is that part of one of ours.
    pub(super) fn logical<'k>(&self, part: Part, key: &'k str) -> Option<&'k str> {
        let tag = key
            .strip_prefix(&*self.name)?
            .strip_prefix(":{")?
            .strip_suffix(part.suffix())?;
        match tag {
            EMPTY => Some(""),
            "" => None,
            _ if tag.contains(['{', '}']) => None,
            _ => Some(tag),
        }
    }

    fn with(&self, key: &str, suffix: &str) -> String {
        let key = if key.is_empty() { EMPTY } else { key };
        let mut whole = String::with_capacity(self.name.len() + key.len() + suffix.len() + 2);
        whole.push_str(&self.name);
        whole.push_str(":{");
        whole.push_str(key);
        whole.push_str(suffix);
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_protocol() {
        let names = Names::new("shop");
        assert_eq!(names.value("product:7"), "shop:{product:7}");
        assert_eq!(names.lease("product:7"), "shop:{product:7}:lease");
        assert_eq!(names.hold(""), "shop:{%}:hold");
        assert_eq!(names.glob(Part::Lease, "a*"), "shop:{a*}:lease");
    }

    #[test]
    fn only_our_own_names_are_read_back() {
        let names = Names::new("shop");
        assert_eq!(names.logical(Part::Value, "shop:{a:b}"), Some("a:b"));
        assert_eq!(names.logical(Part::Lease, "shop:{a:b}:lease"), Some("a:b"));
        assert_eq!(names.logical(Part::Value, "shop:{%}"), Some(""));
        for foreign in [
            "shop:{}",
            "shop:{a}b}",
            "shop:{a}:lease",
            "shop2:{a}",
            "shop:a",
            "shop:{a",
        ] {
            assert_eq!(names.logical(Part::Value, foreign), None, "{foreign}");
        }
    }
}
