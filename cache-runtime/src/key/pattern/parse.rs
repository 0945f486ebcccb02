//! Reading a glob as the user wrote it.
//!
//! Every text is a pattern: there is nobody to report an error to once a pattern is built from arguments at run time, and
//! a literal reading can only select less, visibly.

use super::Token;
use crate::key::escape::Unit;

/// Hands on the tokens of `raw`, in order.
pub(super) fn tokens(raw: &str, mut token: impl FnMut(Token)) {
    let mut rest = raw;
    while let Some(c) = take(&mut rest) {
        token(match c {
            '*' => Token::Any,
            '?' => Token::One,
            '[' => class(&mut rest).unwrap_or_else(|| literal('[')),
            '\\' => literal(take(&mut rest).unwrap_or('\\')),
            c => literal(c),
        });
    }
}

fn literal(c: char) -> Token {
    Token::Literal(Unit::literal(c))
}

fn take(rest: &mut &str) -> Option<char> {
    let c = rest.chars().next()?;
    *rest = &rest[c.len_utf8()..];
    Some(c)
}

/// Takes the class that begins after a `[`, with its `]`; nothing if it is never closed.
fn class(rest: &mut &str) -> Option<Token> {
    let mut ahead = *rest;
    let negated = ahead.starts_with(['^', '!']);
    if negated {
        take(&mut ahead);
    }
    let mut ranges = Vec::new();
    loop {
        let low = match take(&mut ahead)? {
            ']' => break,
            c => member(c, &mut ahead)?,
        };
        let high = range_end(&mut ahead).unwrap_or(low);
        ranges.push((low.min(high), low.max(high)));
    }
    *rest = ahead;
    Some(Token::Class { negated, ranges })
}

fn member(c: char, rest: &mut &str) -> Option<char> {
    if c == '\\' { take(rest) } else { Some(c) }
}

/// Takes `-z` if a range goes on; a `-` in front of the `]` is a member.
fn range_end(rest: &mut &str) -> Option<char> {
    let mut ahead = rest
        .strip_prefix('-')
        .filter(|after| !after.starts_with(']'))?;
    let c = take(&mut ahead)?;
    let high = member(c, &mut ahead)?;
    *rest = ahead;
    Some(high)
}
