//! The glob a Redis server filters by while it scans.
//!
//! The server knows nothing of units, so it gets a superset and the exact match is made here. Encoded text contains none of
//! the server's own signs (`* ? [ ] \`), so nothing needs an escape.

use super::Token;
use crate::key::escape::push_literal_char;

/// Length of a digest with its mark: the shortest text of a digested key.
const DIGEST: usize = 33;

/// Literals as they stand in keys, everything else widened to `*`.
fn glob(tokens: &[Token]) -> String {
    let mut glob = String::new();
    for token in tokens {
        match token {
            Token::Literal(unit) => push_literal_char(&mut glob, unit.c, unit.escaped),
            Token::One | Token::Any | Token::Class { .. } if glob.ends_with('*') => {}
            Token::One | Token::Any | Token::Class { .. } => glob.push('*'),
        }
    }
    glob
}

/// The same in every scope, which is a segment behind the key.
pub(super) fn glob_in_any_scope(tokens: &[Token]) -> String {
    let mut glob = glob(tokens);
    if !glob.ends_with('*') {
        glob.push('*');
    }
    glob
}

/// The same for a pattern that reaches digested keys: `a:b*` must also find `a:#…` and `#…`, where the digest stands
/// in place of the literal. `begins` says at which places in the literal one may begin, always in front of a segment. One glob has no
/// alternatives, but each position has a class: the literal's own character, the mark where a digest may begin, a digit of the
/// digest behind the first of these places. It ends where the shortest digested text does,
/// and in front of a character of several bytes, since the server's classes hold bytes.
pub(super) fn glob_with_digests(literal: &str, begins: impl Fn(usize) -> bool) -> String {
    let mut glob = String::new();
    let (mut first, mut segment_begins) = (None, true);
    for (at, c) in literal.char_indices() {
        let marked = segment_begins && begins(at);
        segment_begins = c == ':';
        let first = match first {
            Some(first) => first,
            None if marked => *first.insert(at),
            None => {
                glob.push(c);
                continue;
            }
        };
        if at - first == DIGEST || !c.is_ascii() {
            break;
        }
        glob.push('[');
        if marked {
            glob.push('#');
        }
        if at > first {
            glob.push_str("0-9a-f");
        }
        if matches!(c, '-' | '^') {
            glob.push('\\');
        }
        glob.push(c);
        glob.push(']');
    }
    glob.push('*');
    glob
}
