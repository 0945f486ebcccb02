//! Who may read a value: what a function says of the values it reads and writes.

use std::{any::TypeId, hash::BuildHasher, sync::Arc};

use crate::entry::{CacheValue, Erased, Keep, Top, ValueType, Whole, top};

/// What a reader is, so that it never gets another reader's value under the same key text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    /// Fingerprint of the key's template; zero says nothing.
    pub(crate) template: u64,
    /// Fingerprint of the generic instantiation; zero says nothing.
    pub(crate) instance: u64,
    /// Schema version of the value; `None` reads every version.
    pub(crate) schema: Option<u32>,
    /// Fingerprint of the templates of its tags; zero: it has none.
    pub(crate) tags: u64,
    /// Of those whose text waits for the value.
    pub(crate) late_tags: u64,
    /// The value's type.
    pub(crate) ty: &'static ValueType,
    /// How a value of that type is kept in memory.
    pub(crate) keeping: &'static Keeping,
}

/// How values of one type become what an entry of the memory tier has, and are made of it.
pub(crate) struct Keeping {
    /// Another for each way to keep values of one type.
    pub(super) way: fn() -> TypeId,
    pub(super) enter: fn(&Erased) -> Erased,
    pub(super) leave: fn(&Erased) -> Option<Erased>,
    pub(super) top: fn(&Erased) -> Option<Top>,
}

impl Keeping {
    /// The functions of `V`, kept as `K` says.
    pub(crate) const fn of<V: CacheValue, K: Keep<V>>() -> &'static Self {
        &Self {
            way: TypeId::of::<K>,
            enter: |value| {
                let typed = value
                    .downcast_ref()
                    .expect("a value travels with the functions of its own type");
                K::inner(typed).unwrap_or_else(|| Arc::clone(value))
            },
            leave: |kept| match K::around(kept) {
                Some(value) => Some(Arc::new(value)),
                None => kept.is::<V>().then(|| Arc::clone(kept)),
            },
            top: |kept| match K::around(kept) {
                Some(value) => Some(top(&value)),
                None => kept.downcast_ref::<V>().map(top),
            },
        }
    }
}

impl std::fmt::Debug for Keeping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeping").finish_non_exhaustive()
    }
}

impl Reader {
    /// Who reads values of `V` that nothing else is known of.
    pub(crate) const fn of<V: CacheValue>() -> Self {
        Self::keeping::<V, Whole>()
    }

    /// The same, where it is known how they are kept.
    pub(crate) const fn keeping<V: CacheValue, K: Keep<V>>() -> Self {
        Self {
            template: 0,
            instance: 0,
            schema: None,
            tags: 0,
            late_tags: 0,
            ty: ValueType::of::<V>(),
            keeping: Keeping::of::<V, K>(),
        }
    }

    /// Template, instance, schema and tags in one number. A reader may have the entries born under its own; under another, [`accepts`](Self::accepts) and
    /// the tags decide. It is as safe as the fingerprints it is made of, and never leaves the process.
    pub(crate) fn fingerprint(&self) -> u64 {
        let compared = (self.template, self.instance, self.schema, self.tags);
        foldhash::quality::FixedState::default().hash_one(compared)
    }

    /// Whether an entry of `template`, `instance` and `schema` is for this reader.
    #[inline]
    pub(crate) fn accepts(&self, template: u64, instance: u64, schema: u32) -> bool {
        agree(self.template, template)
            && agree(self.instance, instance)
            && self.schema.is_none_or(|wanted| wanted == schema)
    }

    /// Whether two readers may share one load.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.template == other.template
            && self.instance == other.instance
            && self.schema == other.schema
            && self.type_id() == other.type_id()
    }

    /// Whether what this reader has loaded, which `carries` such labels, has these `tags`, those that `other` knows before it sees a value,
    /// and names the tags of a value as `other` does.
    pub(crate) fn tags_for<T>(
        &self,
        carries: impl Fn(T) -> bool,
        other: &Self,
        mut tags: impl Iterator<Item = T>,
    ) -> bool {
        (other.late_tags == 0 || other.late_tags == self.late_tags) && tags.all(carries)
    }

    pub(crate) fn type_id(&self) -> TypeId {
        (self.ty.id)()
    }
}

/// Fingerprints agree unless both say something different.
#[inline]
const fn agree(one: u64, other: u64) -> bool {
    one == other || one == 0 || other == 0
}

#[cfg(test)]
mod tests {
    use super::Reader;

    #[test]
    fn a_fingerprint_is_of_all_that_is_compared() {
        let reader = Reader {
            template: 1,
            instance: 2,
            schema: Some(0),
            tags: 3,
            late_tags: 4,
            ..Reader::of::<u8>()
        };
        let changes: [fn(&mut Reader); 6] = [
            |reader| reader.template = 9,
            |reader| reader.instance = 9,
            |reader| reader.instance = 0,
            |reader| reader.schema = Some(1),
            |reader| reader.schema = None,
            |reader| reader.tags = 0,
        ];
        for change in changes {
            let mut other = reader;
            change(&mut other);
            assert_ne!(other.fingerprint(), reader.fingerprint(), "{other:?}");
        }
        let other = Reader {
            late_tags: 9,
            ..Reader::of::<u16>()
        };
        let same = Reader {
            ty: other.ty,
            keeping: other.keeping,
            late_tags: 9,
            ..reader
        };
        assert_eq!(same.fingerprint(), reader.fingerprint());
    }
}
