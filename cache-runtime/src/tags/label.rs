//! Names of labels.

use std::{fmt, sync::Arc};

use crate::key::{Key, canonical};

/// What a label speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LabelKind {
    /// Every entry of the cache.
    Cache,
    /// The entries below the literal first segments of a key.
    Region,
    /// The entries of an owner.
    Scope,
    /// The entries somebody has tagged so.
    Tag,
}

/// The name of a label, as it is stored: unique over all kinds, in characters that keys are made of. Cheap to clone.
///
/// A tag is its encoded text; regions, scopes and the cache begin with `#`, which no encoded text does.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label(Arc<str>);

const REGION: &str = "#r:";
const SCOPE: &str = "#s:";

impl Label {
    /// The stored form of [`cache`](Self::cache).
    pub(crate) const ALL: &str = "#all";

    /// The cache as a whole.
    #[must_use]
    pub fn cache() -> Self {
        Self(Self::ALL.into())
    }

    /// A region, given as the encoded text of its segments.
    pub(crate) fn region(encoded: &str) -> Self {
        Self(format!("{REGION}{encoded}").into())
    }

    /// A scope, given as it stands in a key: its segment without the mark.
    pub(crate) fn scope(segment: &str) -> Self {
        Self(format!("{SCOPE}{segment}").into())
    }

    /// A tag whose text was rendered as a key is: the same for all that reads alike, however it was written (long texts become digests).
    pub(crate) fn tag(text: &Key) -> Self {
        Self(canonical(text.logical()).into())
    }

    /// A label from its stored form, [`as_str`](Self::as_str).
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// Its stored form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it speaks of.
    #[must_use]
    pub fn kind(&self) -> LabelKind {
        match &*self.0 {
            Self::ALL => LabelKind::Cache,
            text if text.starts_with(REGION) => LabelKind::Region,
            text if text.starts_with(SCOPE) => LabelKind::Scope,
            _ => LabelKind::Tag,
        }
    }

    /// The text of a tag.
    pub(crate) fn as_tag(&self) -> Option<String> {
        (self.kind() == LabelKind::Tag).then(|| self.0.to_string())
    }

    /// The segments of a region.
    pub(crate) fn as_region(&self) -> Option<&str> {
        self.0.strip_prefix(REGION)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Label, LabelKind};
    use crate::key::Key;

    #[test]
    fn kinds_are_read_back_and_never_meet() {
        let labels = [
            (Label::cache(), LabelKind::Cache),
            (Label::region("products:list"), LabelKind::Region),
            (Label::scope("user%3A7"), LabelKind::Scope),
            (Label::tag(&Key::new("#all")), LabelKind::Tag),
            (Label::tag(&Key::new("#r:products")), LabelKind::Tag),
        ];
        for (label, kind) in &labels {
            assert_eq!(label.kind(), *kind, "{label:?}");
            assert_eq!(Label::stored(label.as_str()), *label);
        }
        assert_eq!(labels[1].0.as_region(), Some("products:list"));
        assert_eq!(labels[0].0.as_region(), None);
    }
}
