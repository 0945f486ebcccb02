//! Arguments of every shape, and the way back from their text.
//!
//! The encoding of a value is meant to be injective, and the shortest proof of that is to read it: one type in which every shape of
//! serde's data model can hold every other, and a reader of the table in `key::encode`, written from that table alone.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::Source;

/// A value of any shape.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) enum Value {
    Nothing,
    Flag(bool),
    Number(i64),
    Ratio(f64),
    Word(String),
    #[serde(serialize_with = "as_bytes")]
    Raw(Vec<u8>),
    Maybe(Option<Option<Box<Value>>>),
    List(Vec<Value>),
    Pair(Box<Value>, Box<Value>),
    Record {
        a: Box<Value>,
        b: Option<String>,
    },
    Table(BTreeMap<String, Value>),
}

fn as_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

impl Value {
    /// A value with at most so many containers around one another.
    pub(super) fn take(source: &mut Source<'_>, depth: usize) -> Self {
        let inner = |source: &mut Source<'_>| Self::take(source, depth - 1);
        match source.below(if depth == 0 { 6 } else { 11 }) {
            0 => Self::Nothing,
            1 => Self::Flag(source.flag()),
            2 => Self::Number(i64::from_le_bytes(source.array())),
            // All NaN are one key.
            3 => Self::Ratio(
                Some(f64::from_bits(source.u64()))
                    .filter(|it| !it.is_nan())
                    .unwrap_or(0.5),
            ),
            4 => Self::Word(source.text()),
            5 => Self::Raw(source.several(8, Source::byte)),
            6 => Self::Maybe(match source.below(3) {
                0 => None,
                1 => Some(None),
                _ => Some(Some(inner(source).into())),
            }),
            7 => Self::List(source.several(4, inner)),
            8 => Self::Pair(inner(source).into(), inner(source).into()),
            9 => Self::Record {
                a: inner(source).into(),
                b: source.flag().then(|| source.text()),
            },
            _ => Self::Table(
                source
                    .several(4, |source| (source.text(), inner(source)))
                    .into_iter()
                    .collect(),
            ),
        }
    }
}

/// Reads a text from the left; `None` where it is not what was expected.
pub(super) struct Text<'a>(pub(super) &'a str);

impl<'a> Text<'a> {
    /// A string as it stands alone in a placeholder.
    pub(super) fn word_alone(&mut self) -> Option<String> {
        match self.expect("'") {
            Some(()) => Some(String::new()),
            None => self.word(),
        }
    }

    pub(super) fn value(&mut self) -> Option<Value> {
        let name = self.until(|c| !c.is_ascii_alphabetic());
        if name == "Nothing" {
            return Some(Value::Nothing);
        }
        self.expect("(")?;
        let value = match name {
            "Flag" => Value::Flag(self.scalar()?),
            "Number" => Value::Number(self.scalar()?),
            "Ratio" => Value::Ratio(self.scalar()?),
            "Word" => Value::Word(self.quoted()?),
            "Raw" => Value::Raw(self.hexadecimal()?),
            "Maybe" => {
                Value::Maybe(self.option(|text| text.option(|text| text.value().map(Box::new)))?)
            }
            "List" => Value::List(self.list(|text| text.value())?),
            "Pair" => {
                let first = self.value()?;
                self.expect(",")?;
                Value::Pair(first.into(), self.value()?.into())
            }
            "Record" => {
                self.expect("a=")?;
                let a = self.value()?.into();
                self.expect(",b=")?;
                Value::Record {
                    a,
                    b: self.option(|text| text.quoted())?,
                }
            }
            "Table" => {
                let entries = self.list(|text| {
                    let key = text.quoted()?;
                    text.expect("=")?;
                    Some((key, text.value()?))
                })?;
                let keys: Vec<_> = entries.iter().map(|(key, _)| key.clone()).collect();
                let table: BTreeMap<_, _> = entries.into_iter().collect();
                (table.len() == keys.len()).then_some(Value::Table(table))?
            }
            _ => return None,
        };
        self.expect(",)")?;
        Some(value)
    }

    pub(super) fn expect(&mut self, sign: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(sign)?;
        Some(())
    }

    fn until(&mut self, end: impl Fn(char) -> bool) -> &'a str {
        let (taken, rest) = self.0.split_at(self.0.find(end).unwrap_or(self.0.len()));
        self.0 = rest;
        taken
    }

    fn scalar<T: std::str::FromStr>(&mut self) -> Option<T> {
        self.until(|c| c == ',').parse().ok()
    }

    fn quoted(&mut self) -> Option<String> {
        self.expect("'")?;
        self.word()
    }

    /// Escaped text, up to a sign of structure.
    fn word(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        let mut rest = self.until(|c| ":(),=~'".contains(c)).as_bytes();
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            if byte != b'%' {
                bytes.push(byte);
                continue;
            }
            let (digits, after) = rest.split_at_checked(2)?;
            bytes.push(from_hexadecimal(digits)?);
            rest = after;
        }
        String::from_utf8(bytes).ok()
    }

    fn hexadecimal(&mut self) -> Option<Vec<u8>> {
        self.expect("=")?;
        let digits = self.until(|c| c == ',').as_bytes();
        digits.chunks(2).map(from_hexadecimal).collect()
    }

    /// As many `~` as there are options around a `None`.
    fn option<T>(&mut self, some: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.expect("~").is_none() {
            return some(self).map(Some);
        }
        // Another one is that of an option inside, which is there then.
        if self.0.starts_with('~') {
            some(self).map(Some)
        } else {
            Some(None)
        }
    }

    fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.expect("(")?;
        let mut all = Vec::new();
        while self.expect(")").is_none() {
            all.push(element(self)?);
            self.expect(",")?;
        }
        Some(all)
    }
}

fn from_hexadecimal(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits)
        .ok()
        .filter(|it| it.len() == 2)?;
    u8::from_str_radix(digits, 16).ok()
}
