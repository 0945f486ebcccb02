//! Patterns: what is matched is what the definition says, and neither the server's filter nor a message loses any of it.

use super::Source;
use crate::key::{Key, KeyBuf, Pattern};

/// A character of a key, and whether an escape spells it.
type Unit = (char, bool);

pub(super) fn check(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let raw = source.text();
    let key = key(&mut source);
    let pattern = Pattern::parse(&raw);
    let matched = pattern.matches(key.text());
    let defined = Definition::of(&raw).selects(&units(key.without_scope()));
    match key.full() {
        None => assert_eq!(matched, defined, "{raw:?} {key}"),
        // A digest does not show what it stands for: too much is selected rather than too little.
        Some(_) => assert!(matched || !defined, "{raw:?} {key}"),
    }
    // Whether the regions of all keys are known or not.
    let regions = [key.region().into()];
    for regions in [None, Some(&regions[..])] {
        let glob = pattern.server_glob(regions);
        assert!(
            !matched || glob_matches(glob.as_bytes(), key.text().as_bytes()),
            "{raw:?} {key} {regions:?}"
        );
    }
    let text = pattern.to_text();
    if text.len() <= 8_192 {
        assert_eq!(
            Pattern::from_text(&text).as_ref(),
            Some(&pattern),
            "{raw:?}"
        );
    }
    if let Some(region) = pattern.as_region() {
        let all = Pattern::region(region);
        assert!(!matched || all.matches(key.text()), "{raw:?} {key}");
    }
    let region = Pattern::region(key.region());
    assert!(region.matches(key.text()), "{key}");
    // From a message.
    if let Ok(told) = std::str::from_utf8(source.rest())
        && let Some(pattern) = Pattern::from_text(told)
    {
        assert_eq!(
            Pattern::from_text(&pattern.to_text()),
            Some(pattern.clone())
        );
        let _ = pattern.matches(key.text());
    }
}

fn key(source: &mut Source<'_>) -> Key {
    let key = if source.flag() {
        Key::new(&source.text())
    } else {
        let mut buffer = KeyBuf::new(usize::MAX, None);
        buffer.lit(source.one_of(&["a:", "", "a:b:"]));
        buffer.arg(&source.text());
        buffer.lit(source.one_of(&[":b", "", ":"]));
        buffer.finish_key(0)
    };
    if source.flag() {
        key.in_scope(&source.text())
    } else {
        key
    }
}

/// The characters of an encoded text.
fn units(text: &str) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let spelled = (1..=4).find_map(|count| {
            let escapes = rest.get(..3 * count)?;
            let bytes: Option<Vec<u8>> = escapes
                .as_bytes()
                .chunks(3)
                .map(|it| {
                    let digits = std::str::from_utf8(it.strip_prefix(b"%")?).ok()?;
                    let canonical = digits
                        .bytes()
                        .all(|it| it.is_ascii_digit() || it.is_ascii_uppercase());
                    u8::from_str_radix(digits, 16).ok().filter(|_| canonical)
                })
                .collect();
            let text = String::from_utf8(bytes?).ok()?;
            Some((text.chars().next()?, 3 * count))
        });
        let (unit, width) = match spelled {
            Some((c, width)) => ((c, true), width),
            None => ((c, false), c.len_utf8()),
        };
        units.push(unit);
        rest = &rest[width..];
    }
    units
}

/// How a character of a pattern stands in a key.
fn literal(c: char) -> Unit {
    let reserved = "*?[]{}\\%#,()=~'".contains(c) || c.is_whitespace() || c.is_control();
    (c, reserved)
}

enum Step {
    Many,
    One,
    Only(Unit),
    /// Whether it is what is *not* between these.
    Class(bool, Vec<(char, char)>),
}

/// What a pattern means.
struct Definition(Vec<Step>);

impl Definition {
    fn of(raw: &str) -> Self {
        let signs: Vec<char> = raw.chars().collect();
        let (mut steps, mut at) = (Vec::new(), 0);
        while at < signs.len() {
            let (step, width) = match signs[at] {
                '*' => (Step::Many, 1),
                '?' => (Step::One, 1),
                '\\' if at + 1 < signs.len() => (Step::Only(literal(signs[at + 1])), 2),
                '[' => class(&signs[at..]).unwrap_or((Step::Only(literal('[')), 1)),
                c => (Step::Only(literal(c)), 1),
            };
            steps.push(step);
            at += width;
        }
        Self(steps)
    }

    fn selects(&self, units: &[Unit]) -> bool {
        let mut places = Places::at_start(units.len());
        for step in &self.0 {
            match step {
                Step::Many => places.skip_any(),
                one => places.take(|at| one.accepts(units[at])),
            }
        }
        places.at_end()
    }
}

/// How far a text may have been read, with every choice tried.
struct Places(Vec<bool>);

impl Places {
    fn at_start(length: usize) -> Self {
        let mut places = vec![false; length + 1];
        places[0] = true;
        Self(places)
    }

    fn skip_any(&mut self) {
        if let Some(first) = self.0.iter().position(|reached| *reached) {
            self.0[first..].fill(true);
        }
    }

    fn take(&mut self, accepts: impl Fn(usize) -> bool) {
        for at in (0..self.0.len()).rev() {
            self.0[at] = at > 0 && self.0[at - 1] && accepts(at - 1);
        }
    }

    fn at_end(&self) -> bool {
        self.0.last() == Some(&true)
    }
}

impl Step {
    fn accepts(&self, unit: Unit) -> bool {
        match self {
            Self::Many | Self::One => true,
            Self::Only(only) => *only == unit,
            Self::Class(negated, ranges) => {
                let between = ranges
                    .iter()
                    .any(|(low, high)| (*low..=*high).contains(&unit.0));
                (between && literal(unit.0) == unit) != *negated
            }
        }
    }
}

/// The class that begins here, with its `]`, and how long it is; none if it is never closed.
fn class(signs: &[char]) -> Option<(Step, usize)> {
    let mut at = 1;
    let negated = matches!(signs.get(at)?, '^' | '!');
    at += usize::from(negated);
    let member = |at: &mut usize| {
        *at += usize::from(*signs.get(*at)? == '\\');
        *at += 1;
        signs.get(*at - 1).copied()
    };
    let mut ranges = Vec::new();
    while *signs.get(at)? != ']' {
        let low = member(&mut at)?;
        let high = match (signs.get(at), signs.get(at + 1)) {
            (Some('-'), Some(end)) if *end != ']' => {
                at += 1;
                member(&mut at)?
            }
            _ => low,
        };
        ranges.push((low.min(high), low.max(high)));
    }
    Some((Step::Class(negated, ranges), at + 1))
}

/// What a server's `MATCH` does with bytes, as its manual says.
fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    let mut places = Places::at_start(text.len());
    let mut rest = glob;
    while let Some((&sign, after)) = rest.split_first() {
        rest = after;
        match sign {
            b'*' => places.skip_any(),
            b'[' => {
                let (class, after) = after.split_at(class_end(after));
                places.take(|at| in_class(class, text[at]));
                rest = &after[1..];
            }
            own => places.take(|at| text[at] == own),
        }
    }
    places.at_end()
}

/// Where the `]` is.
fn class_end(glob: &[u8]) -> usize {
    let mut at = 0;
    while glob[at] != b']' {
        at += 1 + usize::from(glob[at] == b'\\');
    }
    at
}

fn in_class(class: &[u8], byte: u8) -> bool {
    match class {
        [] => false,
        [b'\\', own, rest @ ..] => *own == byte || in_class(rest, byte),
        [low, b'-', high, rest @ ..] => (*low..=*high).contains(&byte) || in_class(rest, byte),
        [own, rest @ ..] => *own == byte || in_class(rest, byte),
    }
}
