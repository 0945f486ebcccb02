//! The keys and channels of one cache in Redis.
//!
//! Beside what belongs to one logical key: `NAME:#tag:{LABEL}`, the generation of a tag, region or scope; `NAME:#sites`, the registry
//! of regions with the generation of the cache; `NAME:#clock`; `NAME:#beat:{0}`; the channels `NAME:#bus` and `NAME:#beat:INSTANCE:0` (the 0 is
//! another number for each primary of a cluster). No logical
//! key looks like them, because theirs are in braces right behind the name.
//!
//! `NAME:{KEY}`, `NAME:{KEY}:lease`, `NAME:{KEY}:hold`, `NAME:{KEY}:failed`: the logical key is the hash tag, so the four
//! share a slot. An empty tag would not be one (Redis Cluster hashes the whole key then), so the empty
//! key is written `%`, which no encoded key is. An encoded key holds no brace.

use super::link::Spelled;
use crate::bus::Sender;
use crate::tags::Label;

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

/// What stands in braces for a logical key, and decides the slot of all that is kept under it.
pub(super) fn hash_tag(key: &str) -> &str {
    if key.is_empty() { EMPTY } else { key }
}

/// Makes and reads the keys of one cache.
#[derive(Clone, Debug)]
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

    /// [`value`](Self::value), to be written where it is needed.
    pub(super) fn of_value<'n>(&'n self, key: &'n str) -> ValueName<'n> {
        ValueName {
            cache: &self.name,
            key: hash_tag(key),
        }
    }

    pub(super) fn lease(&self, key: &str) -> String {
        self.with(key, "}:lease")
    }

    pub(super) fn hold(&self, key: &str) -> String {
        self.with(key, "}:hold")
    }

    /// The note that a load has failed lately.
    pub(super) fn failed(&self, key: &str) -> String {
        self.with(key, "}:failed")
    }

    /// The generation of a tag, a region or a scope.
    pub(super) fn label(&self, label: &Label) -> String {
        format!("{}:#tag:{{{}}}", self.name, label.as_str())
    }

    /// The registry, and in it the generation of the cache.
    pub(super) fn sites(&self) -> String {
        format!("{}:#sites", self.name)
    }

    pub(super) fn clock(&self) -> String {
        format!("{}:#clock", self.name)
    }

    /// The channel of the cache.
    pub(super) fn bus(&self) -> String {
        format!("{}:#bus", self.name)
    }

    /// What a server remembers of beats. In a cluster the tag is of one of the server's own slots.
    pub(super) fn beat(&self, tag: u32) -> String {
        format!("{}:#beat:{{{tag}}}", self.name)
    }

    /// The channel of one instance's beats through one server: what is published at one is heard at all of a cluster.
    pub(super) fn own_beat(&self, instance: Sender, tag: u32) -> String {
        let instance = u128::from_be_bytes(instance);
        format!("{}:#beat:{instance:032x}:{tag}", self.name)
    }

    /// A key under the cache's prefix that no entry can have; never written.
    pub(super) fn probe(&self, tag: u32) -> String {
        format!("{}:#probe:{{{tag}}}", self.name)
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
        let key = hash_tag(key);
        let mut whole = String::with_capacity(self.name.len() + key.len() + suffix.len() + 2);
        whole.push_str(&self.name);
        whole.push_str(":{");
        whole.push_str(key);
        whole.push_str(suffix);
        whole
    }
}

/// The name of a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueName<'n> {
    cache: &'n str,
    key: &'n str,
}

impl Spelled for ValueName<'_> {
    fn length(&self) -> usize {
        self.cache.len() + self.key.len() + b":{}".len()
    }

    fn spell(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.cache.as_bytes());
        into.extend_from_slice(b":{");
        into.extend_from_slice(self.key.as_bytes());
        into.push(b'}');
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
        assert_eq!(names.failed("a"), "shop:{a}:failed");
        assert_eq!(names.glob(Part::Lease, "a*"), "shop:{a*}:lease");
        assert_eq!(names.label(&Label::stored("hot")), "shop:#tag:{hot}");
        assert_eq!(names.label(&Label::region("a:b")), "shop:#tag:{#r:a:b}");
        let others = [names.sites(), names.clock(), names.bus(), names.beat(0)];
        assert_eq!(
            others,
            ["shop:#sites", "shop:#clock", "shop:#bus", "shop:#beat:{0}"]
        );
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
