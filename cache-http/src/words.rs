//! Tokens and quoted strings, which fields of HTTP are made of (RFC 9110, sections 5.6.2 and 5.6.4).

use std::borrow::Cow;

/// The token a text begins with, and what follows it.
pub(crate) fn token(text: &str) -> Option<(&str, &str)> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = text.find(|c| !is_token(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// The token or the quoted string a text begins with, without its quotes, and what follows it; nothing for a string that does not end.
pub(crate) fn value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = token(text)?;
        return Some((Cow::Borrowed(token), rest));
    };
    let mut unquoted = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((Cow::Owned(unquoted), &quoted[at + 1..])),
            '\\' => unquoted.push(chars.next()?.1),
            c => unquoted.push(c),
        }
    }
    None
}
