//! Where one answer ends and the next begins, and how large one says it is.
//!
//! Whoever keeps what a server announces until all of it is there sees its length only then: a length of 512 MB fills memory before anybody
//! can refuse it. So the announcements are read here, as they come: on the data connection ([`wire`](crate::tiers::redis::wire)) by who cuts
//! the answers, and on a subscribed one before the client library has them. Texts are skipped by their length and lines are short, so this
//! costs next to nothing; and a flat walk is enough, because whatever is nested has an announcement of its own.

/// Values in one answer. Each costs some fifty bytes once it is parsed, whatever it costs on the wire.
const MOST_VALUES: u64 = 1 << 20;
/// A line that is no announcement: a status, an error, a number.
const LONGEST_LINE: usize = 64 << 10;

/// How far one connection's answers have been read.
#[derive(Debug)]
pub(in crate::tiers::redis) struct Walk {
    /// What an answer may have, in bytes.
    most: u64,
    /// What the present answer has, with what it has announced.
    bytes: u64,
    /// Values of the present answer that have not ended; one between answers.
    left: u64,
    place: Place,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Before the first byte of a value.
    Value,
    /// In a line.
    Line(Line),
    /// In a text, so many bytes before its end.
    Text(u64),
}

#[derive(Clone, Copy, Debug)]
struct Line {
    kind: u8,
    length: usize,
    /// What it announces, if it announces anything; nothing, if it announces that there is nothing.
    number: Option<u64>,
    last: u8,
}

impl Walk {
    pub(in crate::tiers::redis) fn new(most: u64) -> Self {
        Self {
            most,
            bytes: 0,
            left: 1,
            place: Place::Value,
        }
    }

    /// Goes on over all of these bytes. After an error there is no way on.
    pub(super) fn over(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while let Some(end) = self.end(bytes)? {
            bytes = &bytes[end..];
        }
        Ok(())
    }

    /// Goes on over these bytes up to where an answer ends; nothing, if none does. After an error there is no way on.
    pub(in crate::tiers::redis) fn end(&mut self, bytes: &[u8]) -> Result<Option<usize>, String> {
        let mut at = 0;
        while let Some(&first) = bytes.get(at) {
            let rest = &bytes[at..];
            let mut over = false;
            at += match &mut self.place {
                Place::Value => {
                    self.place = Place::Line(Line::of(first)?);
                    1
                }
                Place::Text(left) => {
                    let taken = rest.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    *left -= taken as u64;
                    if *left == 0 {
                        over = self.ends();
                    }
                    taken
                }
                Place::Line(line) => {
                    let (taken, ended) = line.over(rest)?;
                    if ended {
                        let line = *line;
                        over = self.announced(line)?;
                    }
                    taken
                }
            };
            if over {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// A line is over; whether the answer is.
    fn announced(&mut self, line: Line) -> Result<bool, String> {
        self.grows(line.length as u64)?;
        let values = match (line.kind, line.number) {
            (b'$' | b'=' | b'!', Some(length)) => {
                self.grows(length)?;
                // Its own end of line comes behind it.
                self.place = Place::Text(length.saturating_add(2));
                return Ok(false);
            }
            (b'*' | b'~' | b'>', Some(count)) => count,
            (b'%', Some(count)) => count.saturating_mul(2),
            // Attributes stand before the value they belong to.
            (b'|', Some(count)) => count.saturating_mul(2).saturating_add(1),
            _ => 0,
        };
        self.left = self.left.saturating_add(values);
        if self.left > MOST_VALUES {
            return Err(format!(
                "an answer of {values} values; no answer has more than {MOST_VALUES}"
            ));
        }
        Ok(self.ends())
    }

    fn grows(&mut self, by: u64) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(by);
        if self.bytes <= self.most {
            return Ok(());
        }
        Err(format!(
            "an answer of {} bytes or more; none has more than {}",
            self.bytes, self.most
        ))
    }

    /// A value has ended, or an announcement of others; whether the answer has.
    fn ends(&mut self) -> bool {
        self.place = Place::Value;
        self.left -= 1;
        let over = self.left == 0;
        if over {
            self.left = 1;
            self.bytes = 0;
        }
        over
    }
}

impl Line {
    fn of(kind: u8) -> Result<Self, String> {
        if !announces(kind) && !b"+-:_,#(".contains(&kind) {
            let kind = kind.escape_ascii();
            return Err(format!("an answer that begins with `{kind}`"));
        }
        Ok(Self {
            kind,
            length: 1,
            number: announces(kind).then_some(0),
            last: kind,
        })
    }

    /// How many of these bytes are its own, and whether it ends with them.
    fn over(&mut self, bytes: &[u8]) -> Result<(usize, bool), String> {
        let begun = self.length;
        for &byte in bytes {
            self.length += 1;
            let ends = byte == b'\n' && self.last == b'\r';
            if ends {
                return Ok((self.length - begun, true));
            }
            if self.length > LONGEST_LINE {
                return Err(format!("a line of more than {LONGEST_LINE} bytes"));
            }
            if announces(self.kind) {
                self.digit(byte)?;
            }
            self.last = byte;
        }
        Ok((self.length - begun, false))
    }

    fn digit(&mut self, byte: u8) -> Result<(), String> {
        let nonsense = || format!("a length with `{}` in it", byte.escape_ascii());
        match byte {
            b'0'..=b'9' if self.last != b'\r' => {
                let more = |number: u64| {
                    number
                        .saturating_mul(10)
                        .saturating_add(u64::from(byte - b'0'))
                };
                self.number = self.number.map(more);
                Ok(())
            }
            // Nothing has a length below zero.
            b'-' if self.length == 2 => {
                self.number = None;
                Ok(())
            }
            b'\r' if self.length > 2 && self.last != b'\r' => Ok(()),
            _ => Err(nonsense()),
        }
    }
}

/// Whether a value of this kind begins with a number of bytes or values.
fn announces(kind: u8) -> bool {
    b"$=!*~>%|".contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u64 = 1_000;

    /// The verdict on all of it at once; the same however it arrives.
    fn over(bytes: &[u8]) -> Result<(), String> {
        let whole = Walk::new(MOST).over(bytes);
        for at in 0..bytes.len().min(200) {
            let mut walk = Walk::new(MOST);
            let torn = walk
                .over(&bytes[..at])
                .and_then(|()| walk.over(&bytes[at..]));
            assert_eq!(torn, whole, "torn at {at}");
        }
        let mut walk = Walk::new(MOST);
        let each = bytes.iter().try_for_each(|byte| walk.over(&[*byte]));
        assert_eq!(each, whole, "byte by byte");
        whole
    }

    /// Goes through, and the next answer is seen where it begins.
    fn passes(answer: &[u8]) {
        let far = format!("${}\r\n", MOST + 1);
        let followed = [answer, far.as_bytes()].concat();
        assert_eq!(over(answer), Ok(()), "{}", answer.escape_ascii());
        let refused = over(&followed).expect_err("what follows is too long");
        // With the line that says so.
        assert!(refused.contains("1008 bytes"), "{refused}");
    }

    #[test]
    fn every_kind_of_answer_is_followed_to_its_end() {
        for answer in [
            "+OK\r\n",
            "-ERR no\r\n",
            ":-7\r\n",
            "_\r\n",
            ",1.5\r\n",
            "#t\r\n",
            "(123456789012345678901234567890\r\n",
            "$0\r\n\r\n",
            "$3\r\na\r\n\r\n",
            "$-1\r\n",
            "*-1\r\n",
            "*0\r\n",
            "*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
            "%1\r\n+a\r\n~1\r\n+b\r\n",
            "|1\r\n+a\r\n+b\r\n+c\r\n",
            ">2\r\n+message\r\n=7\r\ntxt:abc\r\n",
            "!5\r\nERR a\r\n",
            "+a line\nof two\r\n",
        ] {
            passes(answer.as_bytes());
        }
    }

    #[test]
    fn an_answer_ends_and_what_it_had_does_not_count_for_the_next() {
        let answer = [b"$900\r\n".to_vec(), vec![b'x'; 900], b"\r\n".to_vec()].concat();
        assert_eq!(over(&answer.repeat(5)), Ok(()));
        let nested = [b"*2\r\n".to_vec(), answer.repeat(2)].concat();
        assert!(over(&nested).unwrap_err().contains("bytes or more"));
    }

    #[test]
    fn what_is_announced_is_refused_before_it_comes() {
        for (announced, why) in [
            ("$536870912\r\n", "bytes or more"),
            ("=536870912\r\n", "bytes or more"),
            ("*3\r\n:1\r\n$99999999999999999999999\r\n", "bytes or more"),
            ("*1048577\r\n", "values"),
            ("%9223372036854775807\r\n", "values"),
            ("*1000000\r\n*1000000\r\n", "values"),
        ] {
            let refused = over(announced.as_bytes()).unwrap_err();
            assert!(refused.contains(why), "{announced}: {refused}");
        }
        let endless = [b"+".to_vec(), vec![b'x'; LONGEST_LINE]].concat();
        let refused = Walk::new(u64::MAX).over(&endless).unwrap_err();
        assert!(refused.contains("a line"), "{refused}");
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for nonsense in [
            "HTTP/1.1 400",
            "\0",
            "$abc\r\n",
            "$\r\n",
            "$1a\r\n",
            "$1\n",
            "*1-\r\n",
            "$1\r1",
        ] {
            assert!(over(nonsense.as_bytes()).is_err(), "{nonsense:?}");
        }
    }
}
