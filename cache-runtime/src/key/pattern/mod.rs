//! Patterns: globs over keys.
//!
//! **Problem.** A glob on the raw text of a key goes wrong twice: an argument's `*` would act as a glob, and `?` would match
//! a third of an escaped character. A backtracking matcher lets one pattern occupy a core.
//!
//! **Decision.** Both sides are sequences of *units*: a plain character, or the run of `%XX` that spells one. A literal
//! matches only its own unit, so `:` never matches an escaped colon; `?` and a class match one unit whatever its spelling,
//! `*` any number, `:` included. The matcher needs `O(pattern × key)` at worst.
//!
//! **Contract.** `*`, `?`, `[a-z]`, `[^x]` or `[!x]`, and `\` before a character that is meant literally. A `[` without its `]` and a
//! `\` at the end are literals. In a class, a character means what it means in a literal: `[:]` is the separator, `[^:]`
//! everything else, an argument's colon included.
//!
//! A digested key shows only its region, so it matches if any text that begins with that region could: too much is
//! evicted rather than too little.

mod matcher;
mod parse;
#[cfg(any(feature = "redis", test))]
mod server;
#[cfg(test)]
mod tests;
mod wire;

#[cfg(any(feature = "redis", test))]
use super::digest::MARK;
use super::digest::{MAX_TEXT, before_digest};
use super::escape::{Unit, push_literal_char};
#[cfg(test)]
use super::key::Key;
use super::scope::split_scope;

/// One step of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Token {
    Literal(Unit),
    /// `?`
    One,
    /// `*`; never two in a row.
    Any,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// Which keys a pattern reaches beside those its tokens match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Reach {
    Tokens,
    /// The tokens are `region:*`, and the key `region` belongs to it.
    Region,
}

/// A set of keys, chosen by their text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    tokens: Vec<Token>,
    reach: Reach,
    /// The text of the literals in front of the first glob, as it stands in keys.
    literal: String,
}

impl Pattern {
    /// A pattern as a user writes it. Never fails: what is no glob is a literal.
    #[must_use]
    pub fn parse(raw: &str) -> Self {
        let mut builder = Builder::default();
        builder.glob(raw);
        builder.finish()
    }

    /// One key and no other (a digested key by its digest).
    #[cfg(test)]
    pub(crate) fn exact(key: &Key) -> Self {
        let mut builder = Builder::default();
        builder.encoded(key.as_str());
        builder.finish()
    }

    /// Every key.
    #[must_use]
    pub fn all() -> Self {
        let mut builder = Builder::default();
        builder.any();
        builder.finish()
    }

    /// The key `region` and every key below it (`region:*`), given as encoded text. The empty region holds every key.
    #[must_use]
    pub fn region(encoded: &str) -> Self {
        if encoded.is_empty() {
            return Self::all();
        }
        let mut builder = Builder::default();
        builder.encoded(encoded);
        builder.encoded(":");
        builder.any();
        Self {
            reach: Reach::Region,
            ..builder.finish()
        }
    }

    /// Whether the pattern selects the key with this text, in whatever scope. A digested text is selected if its full text might be.
    #[must_use]
    pub fn matches(&self, key_text: &str) -> bool {
        let (key_text, _) = split_scope(key_text);
        matcher::matches(&self.tokens, key_text)
            || (self.reach == Reach::Region && key_text == self.literal_region())
            || self.may_match_digest(key_text)
    }

    /// Whether this is the text of a digested key whose full text might match.
    pub(crate) fn may_match_digest(&self, key_text: &str) -> bool {
        self.reaches_digests()
            && before_digest(key_text)
                .is_some_and(|prefix| matcher::may_begin_with(&self.tokens, prefix))
    }

    /// The literal region: the literal segments in front of the first glob. A pattern without globs is its own region.
    /// Empty if there is none.
    #[must_use]
    pub fn literal_region(&self) -> &str {
        let literal = &self.literal;
        if self.has_globs() {
            literal.rsplit_once(':').map_or("", |(region, _)| region)
        } else {
            literal
        }
    }

    /// The region, if the pattern is `region:*`; the empty one if it is `*`.
    pub(crate) fn as_region(&self) -> Option<&str> {
        let (last, literals) = self.tokens.split_last()?;
        let plain = literals
            .iter()
            .all(|token| matches!(token, Token::Literal(_)));
        let (Token::Any, true) = (last, plain) else {
            return None;
        };
        if literals.is_empty() {
            Some("")
        } else {
            self.literal
                .strip_suffix(':')
                .filter(|region| !region.is_empty())
        }
    }

    /// Whether it ends in `*`, and so selects all that begins like what it selects.
    pub(crate) fn ends_in_any(&self) -> bool {
        self.tokens.last() == Some(&Token::Any)
    }

    /// What to give to `MATCH` of Redis' SCAN: a superset of the texts that [`matches`](Self::matches) selects. It ends in `*`.
    ///
    /// `regions` are those of all keys there are, if they are known: a digest stands right behind the region of its key, so the fewer places
    /// there are for one, the less else is found.
    #[cfg(any(feature = "redis", test))]
    pub(crate) fn server_glob(&self, regions: Option<&[Box<str>]>) -> String {
        if !self.reaches_digests() {
            return server::glob_in_any_scope(&self.tokens);
        }
        let literal = match self.reach {
            Reach::Tokens => &self.literal,
            Reach::Region => self.literal_region(),
        };
        // The empty region stands for any.
        let Some(regions) = regions.filter(|regions| regions.iter().all(|it| !it.is_empty()))
        else {
            return server::glob_with_digests(literal, |_| true);
        };
        let places: Vec<usize> = regions
            .iter()
            .map(|region| format!("{region}:{MARK}"))
            .filter(|digested| self.may_match_digest(digested))
            .map(|digested| digested.len() - MARK.len_utf8())
            .collect();
        if places.is_empty() {
            server::glob_in_any_scope(&self.tokens)
        } else {
            server::glob_with_digests(literal, |at| places.contains(&at))
        }
    }

    fn has_globs(&self) -> bool {
        self.tokens
            .iter()
            .any(|token| !matches!(token, Token::Literal(_)))
    }

    /// Without a `*` a pattern has a longest match, and one that is no longer than a plain text reaches no digest.
    fn reaches_digests(&self) -> bool {
        const LONGEST_UNIT: usize = "%F0%9F%A6%80".len();
        let longest = self.tokens.iter().map(|token| match token {
            Token::Literal(unit) if !unit.escaped => unit.c.len_utf8(),
            Token::Literal(_) | Token::One | Token::Class { .. } => LONGEST_UNIT,
            Token::Any => MAX_TEXT + 1,
        });
        longest.sum::<usize>() > MAX_TEXT
    }
}

/// The text of the literals in front of the first glob.
fn literal_of(tokens: &[Token]) -> String {
    let mut literal = String::new();
    for token in tokens {
        let Token::Literal(unit) = token else { break };
        push_literal_char(&mut literal, unit.c, unit.escaped);
    }
    literal
}

/// Puts a pattern together from literals that are already encoded and globs as the user wrote them.
#[derive(Debug, Default)]
pub(super) struct Builder {
    tokens: Vec<Token>,
}

impl Builder {
    /// Text as it stands in keys: a `*` of an argument is `%2A` here, a character.
    pub(super) fn encoded(&mut self, text: &str) {
        self.tokens.extend(Unit::all(text).map(Token::Literal));
    }

    /// Literal text and globs as the user wrote them.
    pub(super) fn glob(&mut self, raw: &str) {
        parse::tokens(raw, |token| self.push(token));
    }

    /// `*`
    pub(super) fn any(&mut self) {
        self.push(Token::Any);
    }

    pub(super) fn finish(self) -> Pattern {
        Pattern {
            literal: literal_of(&self.tokens),
            tokens: self.tokens,
            reach: Reach::Tokens,
        }
    }

    fn push(&mut self, token: Token) {
        if token != Token::Any || self.tokens.last() != Some(&Token::Any) {
            self.tokens.push(token);
        }
    }
}
