//! Patterns in messages: one sign per token, so that what is read is what was written.
//!
//! `.c` a character, `%c` an escaped one, `?`, `*`, `[` or `^` and `-lh` for each range up to `]`. In front of all, how far
//! the pattern reaches: `t` or `r`.

use std::fmt::{self, Write as _};

use super::{Pattern, Reach, Token, literal_of};
use crate::key::escape::{Unit, push_literal_char};

/// The longest text that is read.
const LONGEST: usize = 8_192;

/// For people: as a glob over keys as they are shown.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.tokens {
            match token {
                Token::Literal(unit) => {
                    let mut text = String::new();
                    push_literal_char(&mut text, unit.c, unit.escaped);
                    f.write_str(&text)?;
                }
                Token::One => f.write_char('?')?,
                Token::Any => f.write_char('*')?,
                Token::Class { negated, ranges } => {
                    f.write_str(if *negated { "[^" } else { "[" })?;
                    for (low, high) in ranges {
                        write!(f, "{low}-{high}")?;
                    }
                    f.write_char(']')?;
                }
            }
        }
        Ok(())
    }
}

impl Pattern {
    /// A text that [`from_text`](Self::from_text) reads.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::from(match self.reach {
            Reach::Tokens => 't',
            Reach::Region => 'r',
        });
        for token in &self.tokens {
            match token {
                Token::Literal(unit) => {
                    text.extend([if unit.escaped { '%' } else { '.' }, unit.c]);
                }
                Token::One => text.push('?'),
                Token::Any => text.push('*'),
                Token::Class { negated, ranges } => {
                    text.push(if *negated { '^' } else { '[' });
                    for (low, high) in ranges {
                        text.extend(['-', *low, *high]);
                    }
                    text.push(']');
                }
            }
        }
        text
    }

    /// The pattern that was written so; `None` if none was, or a too long one.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut chars = text.chars();
        let reach = match chars.next()? {
            't' => Reach::Tokens,
            'r' => Reach::Region,
            _ => return None,
        };
        let mut tokens = Vec::new();
        while let Some(sign) = chars.next() {
            tokens.push(token(sign, &mut chars)?);
        }
        Some(Self {
            literal: literal_of(&tokens),
            tokens,
            reach,
        })
    }
}

fn token(sign: char, chars: &mut std::str::Chars<'_>) -> Option<Token> {
    Some(match sign {
        '.' | '%' => Token::Literal(Unit {
            c: chars.next()?,
            escaped: sign == '%',
        }),
        '?' => Token::One,
        '*' => Token::Any,
        '[' | '^' => Token::Class {
            negated: sign == '^',
            ranges: ranges(chars)?,
        },
        _ => return None,
    })
}

fn ranges(chars: &mut std::str::Chars<'_>) -> Option<Vec<(char, char)>> {
    let mut ranges = Vec::new();
    loop {
        match chars.next()? {
            ']' => return Some(ranges),
            '-' => ranges.push((chars.next()?, chars.next()?)),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Pattern;

    #[test]
    fn a_region_stays_one() {
        let region = Pattern::region("a:b");
        assert_eq!(Pattern::from_text(&region.to_text()), Some(region));
        assert_eq!(Pattern::from_text(""), None);
        assert_eq!(Pattern::from_text("t["), None);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(raw in "[a-c*?\\[\\]^!:\\\\ %é-]{0,24}") {
            let pattern = Pattern::parse(&raw);
            prop_assert_eq!(Pattern::from_text(&pattern.to_text()), Some(pattern));
        }

        #[test]
        fn arbitrary_text_never_panics(text in any::<String>()) {
            let _ = Pattern::from_text(&text);
        }
    }
}
