//! The keys and channels of one cache in Redis.
//!
//! Beside what belongs to one logical key: `NAME:#tag:{LABEL}`, the generation of a tag, region or scope; `NAME:#sites`, the registry
//! of regions with the generation of the cache; `NAME:#sweeps`, the evictions by scan that are under way; `NAME:#clock`; `NAME:#beat:{0}`; the channels `NAME:#bus` and `NAME:#beat:INSTANCE:0` (the 0 is
//! another number for each primary of a cluster). No logical
//! key looks like them, because theirs are in braces right behind the name. So it is with `NAME:#own:KIND:{SLOT}`, what others keep beside the cache
//! ([`RedisHandle::key`](crate::RedisHandle::key)).
//!
//! `NAME:{KEY}`, `NAME:{KEY}:lease`, `NAME:{KEY}:hold`, `NAME:{KEY}:failed`: the logical key is the hash tag, so the four
//! share a slot. An empty tag would not be one (Redis Cluster hashes the whole key then), so the empty
//! key is written `%`, which no encoded key is. An encoded key holds no brace.

use super::link::Spelled;
use crate::bus::Sender;
use crate::key::escaped;
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
    /// What every load names.
    sweeps: Box<str>,
}

impl Names {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            sweeps: format!("{name}:#sweeps").into(),
        }
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

    /// The evictions by scan that are under way on this server.
    pub(super) fn sweeps(&self) -> &str {
        &self.sweeps
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

    /// What somebody else keeps under the cache's prefix: both texts escaped, so that neither can be read as the other nor as anything of ours.
    pub(super) fn own(&self, kind: &str, slot: &str) -> String {
        let (kind, slot) = (short(kind), short(slot));
        format!("{}:#own:{kind}:{{{}}}", self.name, hash_tag(&slot))
    }

    /// A server-side match for one part of the keys a glob over logical keys can mean.
    ///
    /// The name is of characters that mean nothing to a glob.
    pub(super) fn glob(&self, part: Part, keys: &str) -> String {
        self.with(keys, part.suffix())
    }

    /// The same for every part of them. A glob over logical keys ends in `*`, which goes beyond the brace.
    pub(super) fn glob_of_all(&self, keys: &str) -> String {
        format!("{}:{{{keys}", self.name)
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

/// A text as data, at most [`LONGEST`] bytes of it: a longer one is its digest, behind a mark that no escaped text has. Nothing tells two
/// texts of one digest apart, so the whole of it is taken.
fn short(text: &str) -> String {
    let escaped = escaped(text);
    if escaped.len() <= LONGEST {
        return escaped;
    }
    format!("#{}", blake3::hash(text.as_bytes()).to_hex())
}

const LONGEST: usize = 512;

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
        assert_eq!(names.glob_of_all("a*"), "shop:{a*");
        assert_eq!(names.label(&Label::stored("hot")), "shop:#tag:{hot}");
        assert_eq!(names.label(&Label::region("a:b")), "shop:#tag:{#r:a:b}");
        let others = [
            names.sites(),
            names.sweeps().to_owned(),
            names.clock(),
            names.bus(),
            names.beat(0),
        ];
        assert_eq!(
            others,
            [
                "shop:#sites",
                "shop:#sweeps",
                "shop:#clock",
                "shop:#bus",
                "shop:#beat:{0}"
            ]
        );
    }

    #[test]
    fn what_others_keep_has_names_of_its_own() {
        let names = Names::new("shop");
        assert_eq!(names.own("limit", "10.0.0.1"), "shop:#own:limit:{10.0.0.1}");
        assert_eq!(names.own("a:b", ""), "shop:#own:a%3Ab:{%}");
        assert_eq!(
            names.own("a", "b}:lease{*"),
            "shop:#own:a:{b%7D%3Alease%7B%2A}"
        );
        let long = names.own("session", &"x".repeat(100_000));
        assert!(long.len() < 100, "{long}");
        assert_ne!(long, names.own("session", &"x".repeat(100_001)));
        let texts = [
            "", "a", "a:", ":a", "{", "}", "#", "%", "%25", "*", "ü", "a}:{b",
        ];
        let all = || texts.iter().flat_map(|kind| texts.map(|slot| (kind, slot)));
        let different: std::collections::BTreeSet<_> =
            all().map(|(kind, slot)| names.own(kind, slot)).collect();
        assert_eq!(different.len(), texts.len() * texts.len());
        for (kind, slot) in all() {
            let name = names.own(kind, slot);
            for part in [Part::Value, Part::Lease] {
                assert_eq!(names.logical(part, &name), None, "{name}");
            }
        }
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
