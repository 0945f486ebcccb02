//! Matching in `O(pattern × text)`.
//!
//! Only the last `*` met can need another try: whatever an earlier one could take, the later one can take as well. So one
//! place to return to is enough, and there is no recursion. For the same reason a text that has been read to its end
//! without a failure is the beginning of a match: what is left of the pattern can be given its text.

use super::Token;
use crate::key::escape::Unit;

/// Whether the pattern matches the whole text.
pub(super) fn matches(tokens: &[Token], text: &str) -> bool {
    read(tokens, text, AtEnd::Return)
}

/// Whether the pattern matches some text that begins with this one.
pub(super) fn may_begin_with(tokens: &[Token], text: &str) -> bool {
    read(tokens, text, AtEnd::Accept)
}

/// What the end of the text means while the pattern still has tokens to match.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AtEnd {
    /// Only a `*` may be left.
    Return,
    /// Anything may be left.
    Accept,
}

fn read(tokens: &[Token], text: &str, at_end: AtEnd) -> bool {
    let (mut token, mut at) = (0, 0);
    // The token after the last `*`, and where in the text to try it next.
    let mut retry: Option<(usize, usize)> = None;
    while let Some((unit, width)) = Unit::first(&text[at..]) {
        match tokens.get(token) {
            Some(Token::Any) => {
                token += 1;
                retry = Some((token, at));
            }
            Some(step) if step.accepts(unit) => {
                token += 1;
                at += width;
            }
            _ => {
                let Some((after_star, from)) = retry else {
                    return false;
                };
                let Some((_, skipped)) = Unit::first(&text[from..]) else {
                    return false;
                };
                (token, at) = (after_star, from + skipped);
                retry = Some((token, at));
            }
        }
    }
    at_end == AtEnd::Accept || tokens[token..].iter().all(|left| *left == Token::Any)
}

impl Token {
    pub(super) fn accepts(&self, unit: Unit) -> bool {
        match self {
            Self::Literal(literal) => *literal == unit,
            Self::One | Self::Any => true,
            Self::Class { negated, ranges } => {
                let as_literal = Unit::literal(unit.c) == unit;
                let member = as_literal
                    && ranges
                        .iter()
                        .any(|(low, high)| (*low..=*high).contains(&unit.c));
                member != *negated
            }
        }
    }
}
