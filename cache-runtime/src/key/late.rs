//! Templates that wait for the result.
//!
//! An eviction renders its templates before the body, which may consume the arguments; a `{result…}` is known only after
//! it, and not at all if the body fails, panics or is dropped. So a template is kept with holes, filled in order by the
//! one closure that sees the result. A hole that stays empty is a `*`: better to evict too much than to leave the entry.

use serde::Serialize;

use super::buf::Unrenderable;
use super::digest;
use super::encode::{EncodeError, encode};
use super::pattern::{Builder, Pattern};
use super::rendered::Rendered;
use super::text::Text;

/// How much of a template comes before its first value: bytes of text, and marks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prefix {
    pub(super) text: usize,
    pub(super) marks: usize,
}

/// Something between two stretches of text that is not text.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) at: usize,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Glob(&'static str),
    Hole,
    Filled(Box<str>),
    /// The part of the result has no text.
    Failed(Unrenderable),
}

/// A piece of a template, in order.
enum Piece<'a> {
    Text(&'a str),
    Mark(&'a What),
}

/// A key or pattern rendered as far as the arguments allow.
#[derive(Debug, Clone)]
pub(crate) struct LateTemplate {
    text: Box<str>,
    limit: usize,
    prefix: Option<Prefix>,
    marks: Vec<Mark>,
    /// The scope of the key, with what stands in front of it.
    scope: Option<Box<str>>,
    failure: Option<Unrenderable>,
}

impl LateTemplate {
    pub(super) fn new(
        text: Text,
        prefix: Option<Prefix>,
        marks: Vec<Mark>,
        scope: Option<usize>,
        failure: Option<Unrenderable>,
    ) -> Self {
        let (key, behind) = text.as_str().split_at(scope.unwrap_or(text.len()));
        Self {
            text: key.into(),
            scope: scope.map(|_| behind.into()),
            limit: text.limit(),
            prefix,
            marks,
            failure,
        }
    }

    /// Whether parts of the result are still missing.
    pub(crate) fn has_holes(&self) -> bool {
        self.marks
            .iter()
            .any(|mark| matches!(mark.what, What::Hole))
    }

    /// The key, once every hole is filled.
    pub(crate) fn render(&self) -> Result<Rendered, Unrenderable> {
        if let Some(why) = &self.failure {
            return Err(why.clone());
        }
        let mut text = Text::new(self.limit);
        for piece in pieces(&self.text, &self.marks) {
            let part = match piece {
                Piece::Text(part) => part,
                Piece::Mark(What::Filled(part)) => part,
                Piece::Mark(What::Failed(why)) => return Err(why.clone()),
                Piece::Mark(What::Hole) => return Err(unknown("a part of the result is missing")),
                Piece::Mark(What::Glob(_)) => return Err(unknown("a pattern is not a key")),
            };
            text.push(part)
                .map_err(|_| Unrenderable::TooLong { limit: self.limit })?;
        }
        let key = digest::seal(text, self.prefix.map(|prefix| prefix.text));
        Ok(match &self.scope {
            Some(scope) => key.followed_by(scope),
            None => key,
        })
    }

    /// The pattern of everything the template can name: what is missing is a `*`. If an argument could not be rendered,
    /// the template's literal region.
    pub(crate) fn pattern(&self) -> Pattern {
        if self.failure.is_some() {
            return Pattern::region(&self.region());
        }
        self.build(&self.text, &self.marks).finish()
    }

    /// The same of a template that names a region: the keys it can be called like, and those below them. One pattern where what can be
    /// below it is in it.
    pub(crate) fn region_patterns(&self) -> Vec<Pattern> {
        let named = self.pattern();
        if named.ends_in_any() {
            return vec![named];
        }
        let mut below = self.build(&self.text, &self.marks);
        below.encoded(":");
        below.any();
        vec![named, below.finish()]
    }

    /// The literal region; empty if there is none.
    pub(crate) fn region(&self) -> String {
        let Prefix { text, marks } = match self.prefix {
            Some(prefix) => prefix,
            None => Prefix {
                text: self.text.len(),
                marks: self.marks.len(),
            },
        };
        let mut builder = self.build(&self.text[..text], &self.marks[..marks]);
        if self.prefix.is_some() || self.failure.is_some() {
            builder.any();
        }
        builder.finish().literal_region().to_owned()
    }

    fn build(&self, text: &str, marks: &[Mark]) -> Builder {
        let mut builder = Builder::default();
        for piece in pieces(text, marks) {
            match piece {
                Piece::Text(part) => builder.encoded(part),
                Piece::Mark(What::Filled(part)) => builder.encoded(part),
                Piece::Mark(What::Glob(raw)) => builder.glob(raw),
                Piece::Mark(What::Hole | What::Failed(_)) => builder.any(),
            }
        }
        builder
    }
}

fn unknown(why: &str) -> Unrenderable {
    Unrenderable::Serialize(why.to_owned())
}

fn pieces<'a>(text: &'a str, marks: &'a [Mark]) -> impl Iterator<Item = Piece<'a>> {
    let mut done = 0;
    let mut marks = marks
        .iter()
        .map(move |mark| (mark.at, Some(&mark.what)))
        .chain([(text.len(), None)]);
    let mut pending = None;
    std::iter::from_fn(move || {
        if let Some(what) = pending.take() {
            return Some(Piece::Mark(what));
        }
        let (at, what) = marks.next()?;
        pending = what;
        let part = &text[done..at];
        done = at;
        Some(Piece::Text(part))
    })
}

/// The holes of a plan's templates. Generated code fills them, once each, in the order in which they stand in the source.
#[derive(Debug)]
pub struct Holes {
    templates: Vec<LateTemplate>,
}

impl Holes {
    /// Fills the next hole with a part of the result.
    pub fn fill<T: Serialize + ?Sized>(&mut self, v: &T) {
        let Some((mark, limit)) = self.next() else {
            return;
        };
        let mut text = Text::new(limit);
        mark.what = match encode(v, &mut text) {
            Ok(()) => What::Filled(text.as_str().into()),
            Err(EncodeError::TooLong) => What::Failed(Unrenderable::TooLong { limit }),
            Err(EncodeError::Custom(why)) => What::Failed(Unrenderable::Serialize(why.into())),
        };
    }

    /// The templates of a plan, in the order of the source.
    pub(crate) fn new(templates: Vec<LateTemplate>) -> Self {
        Self { templates }
    }

    /// The templates in the order they came in, filled as far as the result went.
    pub(crate) fn finish(self) -> Vec<LateTemplate> {
        self.templates
    }

    fn next(&mut self) -> Option<(&mut Mark, usize)> {
        self.templates.iter_mut().find_map(|template| {
            let limit = template.limit;
            let hole = template
                .marks
                .iter_mut()
                .find(|mark| matches!(mark.what, What::Hole));
            hole.map(|mark| (mark, limit))
        })
    }
}
