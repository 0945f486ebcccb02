//! Keys: how arguments become the text that names an entry.
//!
//! **Problem.** A key made with `format!` lets an argument reach where it must not: `"a:b"` forges a segment, `*` forges
//! a pattern, `}` moves a key to another slot of Redis Cluster, `None` and `""` share an entry, a map gives another key on
//! every run. Reading another caller's entry is the worst thing a cache can do.
//!
//! **Decision.** One canonical text. Literals of a template stand as written; every value enters through its
//! `Serialize` form, and each character that means something to keys, globs or Redis is percent-encoded ([`escape`]).
//! What is left unescaped is structure, written by this module alone:
//!
//! | character | written by |
//! | --- | --- |
//! | `:` | the literals of a template, between segments |
//! | `( ) , = ~ '` | the encoding of a value ([`encode`], with the proof that it is injective) |
//! | `,` at the start of a segment | the scope of a key ([`scope`]) |
//! | `#` | the digest that stands for a text longer than 512 bytes ([`digest`]) |
//! | `* ? [ ] { } \` | nobody: they never appear in a key |
//!
//! **Contract.**
//! * Within one template, values that serialize differently give different texts.
//! * A text is at most [`digest::MAX_TEXT`] bytes. Longer ones keep their literal region and carry the full text beside
//!   the digest, so that a reader can tell a collision from a hit.
//! * The *region* of a key is the literal text in front of its first value, cut at its last `:`
//!   (`"products:list:{page}"` → `products:list`). A template without values is literal to its end and its own region; a
//!   text of the user's own is in the region around it. A default key has its path as region.
//! * Rendering a key of at most 128 bytes allocates nothing (maps excepted: they are sorted).
//! * What cannot be rendered says why ([`Unrenderable`]); nothing here panics over an argument.
//!
//! This module is a leaf: it imports nothing of the crate.

mod beginning;
mod buf;
mod canonical;
mod digest;
mod encode;
mod escape;
mod fingerprint;
#[expect(
    clippy::module_inception,
    reason = "the folder is the concern, the file its central type"
)]
mod key;
mod late;
mod lines;
mod path;
mod pattern;
mod region;
mod rendered;
mod scope;
#[cfg(test)]
mod tests;
mod text;

pub use buf::KeyBuf;
pub use key::Key;
pub use late::Holes;

pub(crate) use beginning::Beginning;
pub(crate) use buf::Unrenderable;
pub(crate) use canonical::{canonical, is_canonical};
pub(crate) use digest::KeySecret;
#[cfg(feature = "redis")]
pub(crate) use escape::escaped;
pub(crate) use fingerprint::{UNSPECIFIED, fingerprint, fingerprint_all};
pub(crate) use late::LateTemplate;
pub(crate) use lines::Lines;
pub use pattern::Pattern;
pub(crate) use region::{Below, below, regions};
pub(crate) use scope::{scope_segment, segment_of};
