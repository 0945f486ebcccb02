//! What a candidate can be asked to do.

use crate::{Blob, Document, Product, Undecoded, report};
use std::sync::Arc;

/// A library under test: each method reads through its cache, and on a miss runs the origin of the same name.
///
/// The methods are plain functions that return the library's own future, so that no state machine of ours lies around it. What a
/// library cannot do is left out; a run that asks for it ends with the word `unsupported`.
pub trait Candidate: Copy + Send + Sync + 'static {
    /// Whether a hit in Redis is measured by [`undecoded`](Candidate::undecoded), not by [`owned`](Candidate::owned).
    const UNDECODED: bool = false;

    /// How many bytes the cache has to keep to know this number as a key: the key alone, without what belongs to the map.
    fn key_bytes(self, _id: u64) -> usize {
        size_of::<u64>()
    }

    /// A key of one `u64`, [`origin::shared`](crate::origin::shared).
    fn shared(self, _id: u64) -> impl Future<Output = Arc<Product>> + Send {
        unsupported("values behind an `Arc`")
    }

    /// A key of one `u64`, [`origin::owned`](crate::origin::owned).
    fn owned(self, _id: u64) -> impl Future<Output = Product> + Send {
        unsupported("owned values")
    }

    /// A key of three arguments, [`origin::shared`](crate::origin::shared) of their [number](crate::keys::number_of_three).
    fn three(
        self,
        _category: &'static str,
        _page: u32,
        _ascending: bool,
    ) -> impl Future<Output = Arc<Product>> + Send {
        unsupported("keys of three arguments")
    }

    /// A key of 40 bytes of text, [`origin::shared`](crate::origin::shared) of its [number](crate::keys::number_of_text).
    fn text(self, _slug: &'static str) -> impl Future<Output = Arc<Product>> + Send {
        unsupported("keys of text")
    }

    /// A key of one `u64`, [`origin::blob`](crate::origin::blob).
    fn blob(self, _id: u64) -> impl Future<Output = Blob> + Send {
        unsupported("values of any length")
    }

    /// A key of one `u64`, [`origin::blob`](crate::origin::blob) behind an `Arc`.
    fn shared_blob(self, _id: u64) -> impl Future<Output = Arc<Blob>> + Send {
        unsupported("values of any length behind an `Arc`")
    }

    /// A key of one `u64`, [`origin::slow`](crate::origin::slow).
    fn slow(self, _id: u64) -> impl Future<Output = Arc<Product>> + Send {
        unsupported("a slow origin")
    }

    /// A key of one `u64`, [`origin::document`](crate::origin::document).
    fn document(self, _id: u64) -> impl Future<Output = Document> + Send {
        unsupported("texts of any length")
    }

    /// What [`owned`](Candidate::owned) decodes.
    fn undecoded(self, _id: u64) -> impl Future<Output = Undecoded> + Send {
        unsupported("values that are not decoded")
    }

    /// An entry that [`evict`](Candidate::evict) may select, [`origin::owned`](crate::origin::owned).
    fn filed(self, _id: u64) -> impl Future<Output = Product> + Send {
        unsupported("entries to evict")
    }

    /// Evicts what is selected beside the entry of this number.
    fn evict(self, _selection: Selection, _id: u64) -> impl Future<Output = ()> + Send {
        unsupported("evictions")
    }
}

/// What an eviction selects among the entries of [`Candidate::filed`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Selection {
    /// The entry alone.
    Key,
    /// All of its shelf, by a tag they carry.
    Tag,
    /// All there are, by the word that their keys begin with.
    Region,
    /// All of its shelf, by a pattern with `*` in its middle.
    Pattern,
}

impl Selection {
    /// Entry `n` stands on shelf `n % SHELVES`.
    pub const SHELVES: u64 = 10;

    /// For a candidate that has none such.
    pub async fn unsupported(self) {
        match self {
            Selection::Key => unsupported("evictions of keys").await,
            Selection::Tag => unsupported("tags").await,
            Selection::Region => unsupported("regions").await,
            Selection::Pattern => unsupported("patterns").await,
        }
    }
}

async fn unsupported<V>(what: &'static str) -> V {
    report::unsupported(what)
}
