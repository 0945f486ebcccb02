//! Where generated code renders a key.
//!
//! The closure of a site writes literals, arguments and, in an eviction, globs and holes for parts of the result. It cannot
//! fail: generated code has no good answer to an error. The first failure therefore stays in the buffer, everything
//! after it is ignored, and whoever takes the buffer decides (a read bypasses the cache, an eviction takes the literal
//! region).

use std::fmt;

use serde::Serialize;

use super::beginning::Beginning;
use super::digest::{self, KeySecret};
use super::encode::{EncodeError, encode};
use super::key::Key;
use super::late::{LateTemplate, Mark, Prefix, What};
use super::path::push_path;
use super::rendered::Rendered;
use super::scope::push_scope;
use super::text::{Full, Text};

/// Why arguments have no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unrenderable {
    /// An argument's `Serialize` failed, with this message.
    Serialize(String),
    /// The full text would have more bytes than this.
    TooLong {
        /// The most bytes allowed.
        limit: usize,
    },
    /// The site has a `secret` argument and the cache no key to digest it with.
    NoSecret,
}

impl fmt::Display for Unrenderable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serialize(why) => write!(f, "an argument of the key cannot be serialized: {why}"),
            Self::TooLong { limit } => write!(f, "the key is longer than {limit} bytes"),
            Self::NoSecret => f.write_str("a `secret` argument needs a cache with a `key_secret`"),
        }
    }
}

impl std::error::Error for Unrenderable {}

/// The buffer in which a key is rendered. Only generated code writes into it.
///
/// Most calls make one and drop it soon after, so what few of them need is in a box.
pub struct KeyBuf<'s> {
    text: Text,
    secret: Option<&'s KeySecret>,
    prefix: Option<Prefix>,
    /// Where the scope begins.
    scope: Option<usize>,
    more: Rare,
}

/// What makes a text more than a key, or none.
#[derive(Debug, Default)]
struct More {
    marks: Vec<Mark>,
    failure: Option<Unrenderable>,
}

/// See [`More`].
struct Rare(Option<Box<More>>);

/// Most drop none of it, which is a comparison here and would be a call.
impl Drop for Rare {
    #[inline]
    fn drop(&mut self) {
        if let Some(more) = self.0.take() {
            dropped(more);
        }
    }
}

#[cold]
fn dropped(more: Box<More>) {
    drop(more);
}

impl KeyBuf<'_> {
    /// Appends literal text, already escaped by the macro.
    #[inline(always)]
    pub fn lit(&mut self, encoded: &'static str) {
        self.write(|text| text.push(encoded));
    }

    /// Appends the path of a function's instantiation as one segment: the start of a default key.
    pub fn path(&mut self, instance: &'static str) {
        self.write(|text| push_path(text, instance));
    }

    /// Appends an argument.
    // In a buffer that was just made most of the questions below have known answers.
    #[inline(always)]
    pub fn arg<T: Serialize + ?Sized>(&mut self, v: &T) {
        self.end_prefix();
        if self.has_failed() {
            return;
        }
        let start = self.text.len();
        if let Err(why) = encode(v, &mut self.text) {
            self.text.truncate(start);
            let why = self.reason(why);
            self.fail(why);
        }
    }

    /// Appends the keyed digest of an argument; the argument itself never enters the buffer, nor a message about it.
    pub fn secret<T: Serialize + ?Sized>(&mut self, v: &T) {
        self.end_prefix();
        if self.has_failed() {
            return;
        }
        let mut plain = Text::new(self.text.limit());
        let digested = match (self.secret, encode(v, &mut plain)) {
            (None, _) => Err(Unrenderable::NoSecret),
            (_, Err(EncodeError::Custom(_))) => {
                Err(Unrenderable::Serialize("it is a secret".to_owned()))
            }
            (_, Err(EncodeError::TooLong)) => Err(self.too_long()),
            (Some(secret), Ok(())) => secret
                .digest(plain.as_bytes(), &mut self.text)
                .map_err(|Full| self.too_long()),
        };
        if let Err(why) = digested {
            self.fail(why);
        }
    }

    /// Ends the key with its scope, a segment of its own.
    pub fn scope(&mut self, render: impl FnOnce(&mut KeyBuf<'_>)) {
        if self.has_failed() {
            return;
        }
        let mut scope = KeyBuf::new(self.text.limit(), self.secret);
        render(&mut scope);
        let key = self.text.len();
        let pushed = match scope.finish() {
            Ok(rendered) => {
                push_scope(&mut self.text, rendered.logical()).map_err(|_| self.too_long())
            }
            Err(why) => Err(why),
        };
        match pushed {
            Ok(()) => self.scope = Some(key),
            Err(why) => {
                self.text.truncate(key);
                self.fail(why);
            }
        }
    }

    /// Appends literal text of a pattern as the user wrote it, with its globs.
    pub fn glob(&mut self, raw: &'static str) {
        self.mark(What::Glob(raw));
    }

    /// Leaves room for a part of the result.
    pub fn hole(&mut self) {
        self.end_prefix();
        self.mark(What::Hole);
    }
}

impl<'s> KeyBuf<'s> {
    /// An empty buffer for texts of at most `max_key_bytes`; `secret` is what [`secret`](Self::secret) digests with.
    #[inline]
    pub(crate) fn new(max_key_bytes: usize, secret: Option<&'s KeySecret>) -> Self {
        Self {
            text: Text::new(max_key_bytes),
            secret,
            prefix: None,
            scope: None,
            more: Rare(None),
        }
    }
}

impl KeyBuf<'_> {
    /// The text of a key that needs nothing more, and its beginning: the common case, looked up in the buffer where it stands.
    /// Where there is none, [`finish`](Self::finish) knows the text or why it has none.
    #[inline]
    pub(crate) fn ready(&self) -> Option<(&[u8], Beginning)> {
        let key = self.scope.unwrap_or(self.text.len());
        let complete = self.more.0.is_none() && key <= digest::MAX_TEXT;
        complete.then(|| (self.text.as_bytes(), self.text.beginning()))
    }

    /// The key, if everything could be rendered and nothing waits for the result.
    #[inline]
    pub(crate) fn finish(self) -> Result<Rendered, Unrenderable> {
        if self.more.0.is_some() {
            return self.finish_late().render();
        }
        let literal = self.prefix.map(|prefix| prefix.text);
        Ok(match self.scope {
            None => digest::seal(self.text, literal),
            Some(key) if key <= digest::MAX_TEXT => {
                Rendered::new(self.text, literal, None).with_scope_from(key)
            }
            Some(_) => return self.finish_late().render(),
        })
    }

    /// The key with its template's fingerprint, also if it could not be rendered: it then knows why, and its region.
    pub(crate) fn finish_key(self, template: u64) -> Key {
        let late = self.finish_late();
        match late.render() {
            Ok(rendered) => rendered.into_key(template),
            Err(why) => Key::unusable(late.region(), why, template),
        }
    }

    /// The template, to be completed by the result.
    pub(crate) fn finish_late(mut self) -> LateTemplate {
        let More { marks, failure } = self.more.0.take().map_or_else(More::default, |more| *more);
        LateTemplate::new(self.text, self.prefix, marks, self.scope, failure)
    }

    #[inline(always)]
    fn write(&mut self, write: impl FnOnce(&mut Text) -> Result<(), Full>) {
        if !self.has_failed() && write(&mut self.text).is_err() {
            self.fail(self.too_long());
        }
    }

    #[inline(always)]
    fn has_failed(&self) -> bool {
        let more = self.more.0.as_ref();
        more.is_some_and(|more| more.failure.is_some())
    }

    #[cold]
    fn fail(&mut self, why: Unrenderable) {
        self.more.0.get_or_insert_default().failure = Some(why);
    }

    #[inline(always)]
    fn end_prefix(&mut self) {
        if self.prefix.is_none() {
            self.prefix = Some(Prefix {
                text: self.text.len(),
                marks: self.more.0.as_ref().map_or(0, |more| more.marks.len()),
            });
        }
    }

    fn mark(&mut self, what: What) {
        if !self.has_failed() {
            let at = self.text.len();
            let more = self.more.0.get_or_insert_default();
            more.marks.push(Mark { at, what });
        }
    }

    #[cold]
    fn reason(&self, why: EncodeError) -> Unrenderable {
        match why {
            EncodeError::TooLong => self.too_long(),
            EncodeError::Custom(why) => Unrenderable::Serialize(why.into()),
        }
    }

    #[cold]
    fn too_long(&self) -> Unrenderable {
        Unrenderable::TooLong {
            limit: self.text.limit(),
        }
    }
}

impl fmt::Debug for KeyBuf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBuf")
            .field("text", &self.text)
            .field("more", &self.more.0)
            .finish_non_exhaustive()
    }
}
